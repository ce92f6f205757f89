"""Closed, full and vanished streams, signals and torn files leave verdict and exit code alone."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from restore_drill.watch.history import read_history
from tests.helpers.drills import CLEARED, ROOT, run_drill
from tests.helpers.shop import Shops
from tests.watch.test_status import FAILED, PASSED, note, status

WAYS = {
    "stdout closed": "{drill} >&-",
    "stderr closed": "{drill} 2>&-",
    "all closed": "{drill} <&- >&- 2>&-",
    "a closed pipe": "{drill} 2>&1 | true; exit ${PIPESTATUS[0]}",
    "a full disk": "{drill} >/dev/full 2>&1",
}
ENDS = {
    0: ("incomplete", ["-k", "redis"]),
    1: ("failed", ["-k", "backup_is_complete", "--backup={page}"]),
    6: ("could-not-run", ["-k", "backup_exists", "--require-backup"]),
}


def clean_environment() -> dict[str, str]:
    """What the tests run in, without the settings of a drill."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in CLEARED and not name.startswith(("DRILL_", "PYTEST"))
    } | {"PYTHONIOENCODING": "utf-8"}


def in_a_shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What comes of the command `line` in a shell."""
    return subprocess.run(
        ["/bin/bash", "-c", line],
        cwd=ROOT,
        env=clean_environment() | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def drill_line(report_dir: Path, *arguments: str, module: str = "pytest drill") -> str:
    """Command line of a drill, for a shell."""
    words = [sys.executable, "-m", *module.split(), "-p", "no:cacheprovider"]
    return shlex.join([*words, f"--report-dir={report_dir}", *arguments])


@pytest.mark.parametrize(
    ("way", "code"),
    [
        *((way, code) for way in ("all closed", "a full disk") for code in ENDS),
        # Of each stream alone there is less that may fail.
        ("stdout closed", 0), ("stderr closed", 6), ("a closed pipe", 6),
    ],
)  # fmt: skip
def test_streams_do_not_change_the_outcome(
    way: str, code: int, tmp_path: Path, report_dir: Path
) -> None:
    """The exit code and the reports are the drill's, and nothing is a traceback."""
    page = tmp_path / "backup.sql"
    page.write_text("<html>not found</html>")
    verdict, arguments = ENDS[code]
    given = [each.replace("{page}", str(page)) for each in arguments]

    done = in_a_shell(WAYS[way].replace("{drill}", drill_line(report_dir, *given)))

    assert done.returncode == code, done.stdout + done.stderr
    assert json.loads((report_dir / "result.json").read_text())["verdict"] == verdict
    assert (report_dir / "report.html").is_file() and (report_dir / "junit.xml").is_file()
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_commands_survive_too(way: str, tmp_path: Path) -> None:
    """`python -m drill status` says by its exit code what it cannot print."""
    note(tmp_path, PASSED)
    line = shlex.join([sys.executable, "-m", "drill", "status"])
    done = in_a_shell(WAYS[way].replace("{drill}", line), BACKUP_PATH=str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_nohup_is_heeded(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """A drill that was started to outlive its terminal does so."""
    dump = shops.dump(15, "plain.sql")
    out = tmp_path / "out"
    with out.open("wb") as file:
        drill = subprocess.Popen(
            ["nohup", *shlex.split(drill_line(report_dir, f"--backup={dump}"))],
            cwd=ROOT,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    while b"Step 5" not in out.read_bytes() and drill.poll() is None:
        time.sleep(0.05)
    drill.send_signal(signal.SIGHUP)

    assert drill.wait(timeout=120) == 0, out.read_text()


def test_a_full_report_directory_does_not_hide_the_verdict(shops: Shops, report_dir: Path) -> None:
    """No half page is left, the terminal says why, and the exit code stands."""
    dump = shops.dump(15, "plain.sql")
    line = drill_line(report_dir, f"--backup={dump}", "-k", "backup")
    done = in_a_shell(f"ulimit -f 12; trap '' XFSZ; exec {line}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "cannot be written: File too large" in done.stdout
    assert "RESTORE DRILL INCOMPLETE" in done.stdout and "Traceback" not in done.stdout
    assert not (report_dir / "report.html").exists()
    assert (report_dir / "junit.xml").read_text().endswith("</testsuites>")


@pytest.mark.parametrize(
    "variables",
    [
        {"TERM": "dumb", "LC_ALL": "C", "PYTHONIOENCODING": "", "PYTHONUTF8": "0", "COLUMNS": "5"},
        {"COLUMNS": "1"},
        {"HOME": ""},
    ],
    ids=["C", "narrow", "no home"],
)
def test_poor_surroundings_are_enough(variables: dict[str, str], report_dir: Path) -> None:
    """A narrow, dumb or ASCII terminal and no HOME change nothing but the signs."""
    drill = run_drill("-k", "redis", report_dir=report_dir, cwd=ROOT, **variables)

    assert drill.code == 0, drill.output
    assert "RESTORE DRILL INCOMPLETE" in drill.output and "Traceback" not in drill.output


def test_a_torn_history_goes_on(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """What a killed drill left of a line swallows neither the next line nor a command."""
    note(tmp_path, PASSED)
    path = tmp_path / ".drill" / "history.jsonl"
    with path.open("ab") as file:
        file.write(b'{"at": "2026-01-01T00:00:00+00:00", "verdict": \xff\x00')
    (tmp_path / "shop.sql").write_bytes(shops.dump(15, "plain.sql").read_bytes())

    drill = run_drill(report_dir=report_dir, BACKUP_PATH=str(tmp_path))

    assert drill.code == 0, drill.output
    assert [each.backup for each in read_history(path)] == ["shop.dump", "shop.sql"]
    assert status(tmp_path)[0] == 0


@pytest.mark.parametrize(
    "line",
    [
        '{"at": "2026-01-01T00:00:00"}',
        json.dumps(FAILED.as_json()).replace('"size": 1200000', '"size": "much"'),
        json.dumps(FAILED.as_json()).replace('"failed"', "7"),
        "[]",
        "\u2028",
    ],
)
def test_a_line_of_another_shape_is_passed_over(line: str, tmp_path: Path) -> None:
    """Whatever stands in the history is reported; it may have been a failure, until a pass."""
    note(tmp_path, PASSED)
    path = tmp_path / ".drill" / "history.jsonl"
    before = path.read_text(encoding="utf-8")
    path.write_text(before + line + "\n", encoding="utf-8")
    code, told = status(tmp_path)
    path.write_text(before + line + "\n" + before, encoding="utf-8")
    code_after, told_after = status(tmp_path)

    assert code == 1 and "1 entry of the history after the last pass cannot be read" in told, told
    assert code_after == 0 and "2 drills recorded: 2 passed" in told_after, told_after


def test_a_history_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """Exit 6 and a line, never a traceback."""
    (tmp_path / ".drill" / "history.jsonl").mkdir(parents=True)

    code, told = status(tmp_path)

    assert code == 6
    assert "cannot be read: it is not a regular file" in told and "Traceback" not in told

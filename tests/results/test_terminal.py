"""What a drill prints: on terminals, in logs, quiet and verbose."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.helpers.mini_drill import (
    Done,
    command,
    drill,
    environment,
)


def test_terminal_reads_as_the_guide_says(passed: Done) -> None:
    """START banner, steps, PASSED banner; none of pytest's dots, headers or paths of files."""
    lines = passed.out.splitlines()

    start = lines.index("---- RESTORE DRILL START ----")
    assert lines[start + 1 : start + 3] == [
        "✓ Environment validated (target embedded, criteria drill/criteria.toml)",
        "· Backup directory: backups",
    ]
    end = lines.index("---- RESTORE DRILL PASSED ----")
    assert lines[end + 1 : end + 3] == [
        "✓ Backup used: backup_20261123_050001.sql (26.2 MB, 3 h 25 min old)",
        "· Safety snapshot: not needed, the embedded target touches no existing database",
    ]
    assert "✓ 6 of 6 criteria passed" in lines[end:]
    assert "! Not checked: your own Redis (REDIS_URL is unset)" in lines[end:]
    (run,) = passed.runs
    assert lines[-1] == f"· Report: drill-report/{run.name}/report.html"
    for noise in ("rootdir", "test_small.py .", "[100%]", "generated xml", "Generated html"):
        assert noise not in passed.out


def test_a_failure_is_reported_when_it_happens_in_full_and_in_the_banner(failed: Done) -> None:
    """One line at once, the whole message once, one line in the banner, and what to do next."""
    line = "✗ test_table_has_rows[public.cards]: public.cards has 0 rows, the backup holds 1,000"

    assert failed.out.count(line) == 2
    assert failed.out.count("  1. read the <log>") == 1
    banner = failed.out.split("---- RESTORE DRILL FAILED ----")[1]
    assert "✗ 1 of 6 criteria failed: do not rely on this backup" in banner
    assert "· Next: fix the problems listed above" in banner
    assert "FAILURES" not in failed.out
    assert "short test summary" not in failed.out


def test_criteria_that_repeat_a_message_share_a_line(project: Path) -> None:
    """A stage that could not run is reported by the first criterion; those after it are counted."""
    done = drill(project, mode="noserver")

    assert done.out.count("! test_table_has_rows[public.cards]: no server could be had") == 2
    assert done.out.count("checked: PyPI") == 1
    assert "! Not run because of this: 2 criteria" in done.out
    assert "test_foreign_keys_hold" not in done.out


def test_verbose_keeps_the_lines_of_pytest(project: Path) -> None:
    """-v shows pytest's own lines, sections and paths, between the same banners."""
    done = drill(project, "drill", "-v", mode="wrong")

    assert "test_small.py::test_backup_is_complete PASSED" in done.out
    assert "short test summary info" in done.out
    assert "generated xml file" in done.out
    assert "---- RESTORE DRILL FAILED ----" in done.out


def test_quiet_is_short_and_says_all(project: Path) -> None:
    """-q prints the findings and the verdict in a line each, and no steps."""
    good, bad = drill(project, "drill", "-q"), drill(project, "drill", "-q", mode="wrong")

    assert good.out.splitlines()[-1].startswith("RESTORE DRILL PASSED: 6 of 6 criteria passed, ")
    assert len(good.out.splitlines()) <= 4
    assert "Step 1" not in bad.out
    assert "test_table_has_rows[public.cards]: public.cards has 0 rows" in bad.out
    last = bad.out.splitlines()[-1]
    assert last.startswith("RESTORE DRILL FAILED: 5 of 6 criteria passed, 1 failed, ")


def test_an_ascii_terminal_gets_ascii(project: Path) -> None:
    """Where the stream is not UTF-8 the signs are spelled out and nothing breaks."""
    done = drill(project, mode="wrong,evil", PYTHONIOENCODING="ascii")
    plain = drill(project, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="")

    assert done.out.isascii()
    assert "[ok] Environment validated" in done.out
    assert "[FAILED] test_table_has_rows[public.cards]" in done.out
    assert plain.out.isascii()
    assert "[ok] 6 of 6 criteria passed" in plain.out


def test_progress_leaves_no_trace_on_a_terminal(project: Path) -> None:
    """A progress line is rewritten in place, never wraps, and is gone when the next line comes."""
    primary, secondary = pty.openpty()
    with subprocess.Popen(
        command("drill", "--color=no"),
        cwd=project,
        env=environment(project, "", COLUMNS="80", TERM="xterm"),
        stdout=secondary,
        stderr=secondary,
    ) as process:
        os.close(secondary)
        written = b""
        with suppress(OSError):  # Linux says so when the other side is closed
            while chunk := os.read(primary, 65536):
                written += chunk
        os.close(primary)

    assert process.returncode == 0
    shown = [seen(line) for line in written.decode().split("\n")]
    assert max(len(part) for part in written.split(b"\r") if b"very long path" in part) == 79
    assert "✓ Using backup: backup_20261123_050001.sql" in shown
    assert not [line for line in shown if "very long path" in line]


def seen(line: str) -> str:
    """What stands on the terminal after `line`, whose carriage returns overwrite it."""
    cells: list[str] = []
    for part in line.split("\r"):
        cells[: len(part)] = part
    return "".join(cells).rstrip()


def test_the_sample_is_named_loudly(project: Path) -> None:
    """A drill of the sample shop says so at the start, in the banner and in the files."""
    variables = environment(project, "sample")
    del variables["BACKUP_PATH"]
    run = subprocess.run(
        command("drill"), cwd=project, env=variables, capture_output=True, text=True, check=False
    )
    done = Done(run.returncode, run.stdout, project / "drill-report")

    assert "! No backup is configured (BACKUP_PATH, --backup): drilling the sample shop" in done.out
    assert done.result["sample"] is True
    for text in (done.out, done.page.read_text("utf-8")):
        assert (
            "SAMPLE, not your backup" in text and "No database backup of yours was drilled" in text
        )

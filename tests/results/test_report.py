"""The reports of a drill: verdict, exit code and files, whatever happens."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest

from restore_drill.results.meaning import meaning_of
from restore_drill.results.result import write_result
from restore_drill.results.words import tally_of
from tests.helpers.mini_drill import (
    FILES,
    Done,
    command,
    drill,
    environment,
)
from tests.helpers.options_table import RESULT_SCHEMA, result_schema_text
from tests.helpers.result_schema import checked


@pytest.mark.parametrize(
    ("mode", "arguments", "verdict", "code"),
    [
        ("", [], "passed", 0),
        ("wrong", [], "failed", 1),
        ("bug", [], "failed", 1),
        ("noserver", [], "could-not-run", 6),
        ("notfound", [], "failed", 1),
        ("noserver,bug", [], "failed", 1),
        ("teardown", [], "could-not-run", 6),
        ("skiprows", [], "could-not-run", 6),
        ("internal", [], "could-not-run", 3),
        ("", ["-k", "redis"], "incomplete", 0),
        ("", ["-k", "backup"], "incomplete", 0),
        ("", ["-k", "cards"], "passed", 0),
        ("bug", ["-m", "redis"], "failed", 1),
        ("", ["-k", "nothing_of_this_name"], "could-not-run", 5),
        ("", ["drill/test_small.py::test_redis_answers"], "incomplete", 0),
        ("wrong,bug", ["-x"], "failed", 1),
        ("wrong", ["--tb=short", "-rA"], "failed", 1),
    ],
)
def test_each_outcome_has_its_verdict_exit_code_and_files(
    project: Path, mode: str, arguments: list[str], verdict: str, code: int
) -> None:
    """Verdict, exit code and the three files are there for every way in which a run can end."""
    named = arguments if any("::" in each for each in arguments) else ["drill", *arguments]

    done = drill(project, *named, mode=mode)

    assert done.code == code, done.out
    assert done.result["verdict"] == verdict
    assert done.properties["verdict"] == verdict
    assert done.files == FILES


def test_result_has_the_agreed_shape(passed: Done) -> None:
    """result.json carries every part of schema 2, times in UTC, seconds by stage."""
    result = passed.result

    parts = "schema verdict reasons started_at sample selection run_of series backup target"
    more = "snapshot promotion recovery timings stages tables facts redis redis_backup coherence"
    last = "bypass history counts checks proof basis strength drift budgets rows_read warnings"
    evidence = "not_checked notes run_folder tool machine versions candidates identity digests"
    assert list(result) == f"{parts} {more} {last} {evidence}".split()
    assert result["schema"] == 2
    assert datetime.fromisoformat(result["started_at"]).utcoffset() is not None
    assert result["started_at"].endswith("Z")
    assert result["timings"]["restore"] >= 0.05
    assert result["timings"]["snapshot"] is None
    assert result["timings"]["total"] >= sum(s["seconds"] for s in result["stages"])
    assert result["tables"]["public.cards"]["rows"] == 1000
    assert result["not_checked"] == [{"what": "your own Redis", "why": "REDIS_URL is unset"}]


def test_the_published_schema_is_that_of_the_result(passed: Done) -> None:
    """docs/result.schema.json is what `make docs` writes, and every result is held against it."""
    assert RESULT_SCHEMA.read_text("utf-8") == result_schema_text()
    with pytest.raises(AssertionError, match=r"\$\.checks\[0\]\.outcome"):
        checked(passed.result | {"checks": [passed.result["checks"][0] | {"outcome": "fine"}]})
    with pytest.raises(AssertionError, match="'more' was unexpected"):
        checked(passed.result | {"more": 1})


def test_what_was_not_read_has_no_digest_and_a_reason(project: Path) -> None:
    """A digest is never made up: null, and why."""
    reference = project / "reference.txt"
    reference.write_bytes(b"a reference\r\n")
    done = drill(project, "drill", f"--reference={reference}", mode="notfound")

    digests = done.result["digests"]

    assert digests["backup"] is None
    assert digests["criteria"]["sha256"]
    assert digests["reference"]["sha256"] == hashlib.sha256(b"a reference\r\n").hexdigest()
    assert digests["report"]["sha256"] == hashlib.sha256(done.page.read_bytes()).hexdigest()


def test_checks_have_id_outcome_sentence_and_stage(failed: Done) -> None:
    """A check carries its id below drill/, outcome, message, seconds, sentence and stage."""
    checks = {check["id"]: check for check in failed.result["checks"]}

    check = checks["drill/test_small.py::test_table_has_rows[public.cards]"]

    assert check["outcome"] == "failed"
    assert check["message"].splitlines()[0] == "public.cards has 0 rows, the backup holds 1,000"
    assert "assert 0 == 1000" not in check["message"]
    assert check["sentence"] == "A table holds the rows & keys that lie in the backup."
    assert check["stage"] == "verify"
    assert checks["drill/test_small.py::test_backup_is_complete"]["outcome"] == "passed"
    assert checks["drill/test_small.py::test_foreign_keys_hold"]["seconds"] >= 0


def test_a_skip_stands_in_not_checked(failed: Done) -> None:
    """A skipped criterion is named with its reason, in the result and in the banner."""
    entry = {"what": "whether keys are kept", "why": "REDIS_URL is unset"}

    assert entry in failed.result["not_checked"]
    assert "! Not checked: your own Redis; whether keys are kept (REDIS_URL is unset)" in failed.out


def test_a_waived_criterion_is_not_green(project: Path) -> None:
    """An expected failure is no pass: it is named as not checked, with the reason of the waiver."""
    done = drill(project, mode="waived")

    assert done.outcomes["test_redis_keeps_keys"] == "skipped"
    assert "known to fail, waived: until Friday" in done.out


def test_deselected_criteria_are_not_silent(project: Path) -> None:
    """What -k, an id or -x leave out is counted and reported with its reason."""
    by_name = drill(project, "drill", "-k", "not redis").result
    by_id = drill(project, "drill/test_small.py::test_redis_answers").result
    stopped = drill(project, "drill", "-x", mode="wrong").result

    assert by_name["selection"] == "-k 'not redis'"
    left_out = {
        "what": "2 criteria of drill/test_small.py",
        "why": "deselected by -k 'not redis'",
        "criteria": 2,
    }
    assert left_out in by_name["not_checked"]
    assert "everything else in drill/" in [entry["what"] for entry in by_id["not_checked"]]
    unreached = {"what": "4 criteria of drill/test_small.py", "why": "stopping after 1 failures"}
    assert unreached | {"criteria": 4} in stopped["not_checked"]
    assert meaning_of(stopped).startswith("1 of 6 criteria failed")
    assert tally_of(stopped) == "1 of 6 criteria passed, 1 failed, 4 not run"


def test_every_report_has_the_same_numbers(failed: Done) -> None:
    """What pytest counts, the banner, result.json, junit.xml and report.html: one count."""
    counts = failed.result["counts"]
    junit = (failed.folder / "junit.xml").read_text("utf-8")
    page = failed.page.read_text("utf-8")

    found = {outcome: number for outcome, number in counts.items() if number}
    assert found == {"criteria": 6, "passed": 4, "failed": 1, "skipped": 1}
    assert "collected 6 items" in failed.out
    assert "1 failed, 4 passed, 1 skipped in" in failed.out
    assert "✓ 4 of 6 criteria passed, 1 failed, 1 skipped" in failed.out
    assert 'errors="0" failures="1" skipped="1" tests="6"' in junit
    for chip in ("4 passed", "1 failed", "1 skipped"):
        assert f">{chip}</span>" in page


def test_a_run_from_elsewhere_is_the_whole_drill(project: Path) -> None:
    """From drill/ and from / the ids, the selection and the verdict are those of the root."""
    inside = subprocess.run(
        command(),
        cwd=project / "drill",
        env=environment(project, ""),
        capture_output=True,
        check=False,
    )
    away = subprocess.run(
        command(str(project / "drill"), f"--report-dir={project / 'away'}"),
        cwd="/",
        env=environment(project, ""),
        capture_output=True,
        check=False,
    )
    first = Done(inside.returncode, "", project / "drill" / "drill-report").result
    second = Done(away.returncode, "", project / "away").result

    assert [first["selection"], second["selection"]] == ["", ""]
    assert [first["verdict"], second["verdict"]] == ["passed", "passed"]
    assert [c["id"] for c in first["checks"]] == [c["id"] for c in second["checks"]]
    assert first["checks"][0]["id"].startswith("drill/test_small.py::")


def test_a_criterion_cannot_end_the_drill_as_passed(project: Path) -> None:
    """What `pytest.exit(returncode=0)` leaves unchecked is not proved: the drill could not run."""
    own = "import pytest\n\n\ndef test_end():\n    pytest.exit('enough', returncode=0)\n"
    own += "\n\ndef test_last():\n    assert True\n"
    (project / "drill" / "test_zz_end.py").write_text(own)

    done = drill(project)

    assert done.code == 6, done.out
    assert done.result["verdict"] == "could-not-run"
    assert done.result["reasons"] == ["enough"]
    assert "---- RESTORE DRILL COULD NOT RUN ----" in done.out


def test_a_criterion_cannot_end_the_process_as_passed(project: Path) -> None:
    """`os._exit(0)` fails the criterion, and ends nothing: the drill has its verdict."""
    own = "import os\n\n\ndef test_end():\n    os._exit(0)\n"
    (project / "drill" / "test_zz_end.py").write_text(own)

    done = drill(project)

    assert done.code == 1, done.out
    assert done.result["verdict"] == "failed"
    assert "os._exit(0) would end the drill without a verdict" in done.out


def test_a_thread_of_a_criterion_cannot_end_the_process_as_passed(project: Path) -> None:
    """`os._exit(0)` of a thread ends the drill as SIGTERM does."""
    own = "import os, threading\n\n\ndef test_end():\n"
    own += "    thread = threading.Thread(target=os._exit, args=[0])\n"
    own += "    thread.start()\n    threading.Event().wait()\n"
    (project / "drill" / "test_zz_end.py").write_text(own)

    done = drill(project)

    assert done.code == 2, done.out
    assert done.result["verdict"] == "could-not-run"
    assert "ended by SIGTERM" in done.result["reasons"][0]


@pytest.mark.parametrize(
    ("number", "reason"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_an_interrupt_leaves_reports(project: Path, number: signal.Signals, reason: str) -> None:
    """Ctrl-C and SIGTERM clean up, leave all files, and say what was not reached."""
    with subprocess.Popen(
        command("drill"),
        cwd=project,
        env=environment(project, "hang"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not (project / "hanging").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    done = Done(process.returncode, out, project / "drill-report")

    assert done.code == 2, out
    assert done.files == FILES
    assert done.result["verdict"] == "could-not-run"
    assert reason in done.result["reasons"][0]
    assert "the target was cleaned up" in done.result["notes"]
    assert done.result["not_checked"][-1]["what"] == "3 criteria of drill/test_small.py"
    assert "---- RESTORE DRILL COULD NOT RUN ----" in out
    assert "COULD NOT RUN" in done.page.read_text("utf-8")


def test_an_interrupt_between_two_lines_is_one(project: Path) -> None:
    """An interrupt whose traceback names no line ends the drill as any other."""
    done = drill(project, mode="noline")

    assert done.code == 2, done.out
    assert "Traceback" not in done.out
    assert done.result["verdict"] == "could-not-run"


def test_a_broken_module_could_not_run(project: Path) -> None:
    """A test module that cannot be imported ends in exit 6, named in all reports."""
    (project / "drill" / "test_broken.py").write_text("import nothing_of_this_name\n")

    done = drill(project)

    assert done.code == 6
    assert done.outcomes["drill/test_broken.py"] == "error"
    assert "nothing_of_this_name" in done.out
    assert done.result["verdict"] == "could-not-run"
    assert done.result["not_checked"][-1]["what"] == "6 criteria of drill/test_small.py"


def test_an_error_in_the_settings_leaves_a_result_and_no_old_verdict(project: Path) -> None:
    """A usage error takes the last run's reports away and leaves its own message in result.json."""
    drill(project)

    done = drill(project, BACKUP_PATH="/nowhere")

    assert done.code == 4
    assert done.files == {"result.json"}
    assert done.result["verdict"] == "could-not-run"
    assert "BACKUP_PATH" in done.result["reasons"][0]
    assert done.out.count("ERROR") == 1


def test_a_path_that_is_not_there_leaves_all_reports(project: Path) -> None:
    """A wrong path on the command line is exit 4, reported in result.json."""
    done = drill(project, "drill/test_nothing.py")

    assert done.code == 4
    assert done.result["verdict"] == "could-not-run"
    assert "test_nothing.py" in done.result["reasons"][0]


@pytest.mark.parametrize(
    "option", ["--collect-only", "--fixtures", "--markers", "--setup-plan", "-h"]
)
def test_listings_write_nothing(project: Path, option: str) -> None:
    """What runs no criterion leaves the last reports as they are and prints no banner."""
    folder = project / "drill-report"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text("old")

    done = drill(project, "drill", option)

    assert done.code == 0, done.out
    assert {path.read_text() for path in folder.iterdir()} == {"old"}
    assert "RESTORE DRILL" not in done.out


def test_only_own_files_are_removed(project: Path) -> None:
    """Other files in the report directory stay."""
    (project / "drill-report").mkdir()
    (project / "drill-report" / "mine.txt").write_text("mine")
    (project / "drill-report" / "report.html").write_text("old")

    done = drill(project)

    assert done.files == FILES | {"mine.txt"}
    assert done.page.read_text("utf-8") != "old"


def test_an_unwritable_report_directory_is_one_clear_line(project: Path) -> None:
    """A report directory that is a file is a usage error before anything starts."""
    (project / "taken").write_text("a file")

    done = drill(project, "drill", "--report-dir=taken")

    assert done.code == 4
    assert "--report-dir (DRILL_REPORT_DIR) names" in done.out
    assert "File exists" in done.out or "Not a directory" in done.out
    assert "Step 1" not in done.out


def test_html_and_junit_go_where_the_user_says(project: Path) -> None:
    """--html has pytest-html's table beside the report; --junitxml wins over the directory."""
    done = drill(project, "drill", "--html=mine.html", "--junitxml=mine.xml", mode="evil")

    assert done.files == {"result.json", "report.html"}
    table = (project / "mine.html").read_text("utf-8")
    assert "<b>Restore drill: PASSED</b>" in table
    assert "<script>alert(" not in table
    assert f"Report: drill-report/{done.runs[0].name}/report.html" in done.out
    assert (project / "mine.xml").exists()


def test_junit_distinguishes_failures_from_errors(project: Path, failed: Done) -> None:
    """The backup's fault is a <failure>, our own means failing an <error>; properties say more."""
    broken = drill(project, mode="noserver")

    assert failed.suite.attrib["failures"] == "1"
    assert failed.suite.attrib["errors"] == "0"
    assert broken.suite.attrib["failures"] == "0"
    assert broken.suite.attrib["errors"] == "1"
    assert broken.suite.attrib["skipped"] == "2"
    properties = failed.properties
    assert properties["backup"] == "/srv/backups/db/backup_20261123_050001.sql"
    assert properties["backup_sha256"].startswith("9f86d081")
    assert properties["backup_age_seconds"] == "12345.6"
    assert properties["target"] == "embedded"
    assert float(properties["timings_restore"]) >= 0.05
    assert "timings_snapshot" not in properties


def test_a_write_that_fails_leaves_the_old_result(tmp_path: Path) -> None:
    """result.json is replaced in one step: a text that cannot be written leaves the old one."""
    path = tmp_path / "result.json"
    write_result(path, {"verdict": "passed"})

    with pytest.raises(TypeError):
        write_result(path, {"verdict": object()})

    assert json.loads(path.read_bytes()) == {"verdict": "passed"}
    assert list(tmp_path.iterdir()) == [path]

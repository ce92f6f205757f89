"""The reports of a drill: verdict, exit code, files and terminal, whatever happens."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from restore_drill.core.redact import Redactor
from restore_drill.results.result import write_result
from restore_drill.results.summary import escape, table
from restore_drill.results.words import describe
from tests.helpers.mini_drill import (
    DATABASE_URL,
    SECRET,
    Done,
    command,
    drill,
    environment,
    make_project,
)

FILES = {"report.html", "junit.xml", "result.json"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A drill in small."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A drill in small that passed."""
    return drill(make_project(tmp_path_factory.mktemp("passed") / "project"))


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A drill in small in which a table has lost its rows and a criterion was skipped."""
    project = make_project(tmp_path_factory.mktemp("failed") / "project")
    return drill(project, mode="wrong,skip")


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
    """result.json carries every part of schema 1, times in UTC, seconds by stage."""
    result = passed.result

    parts = "schema verdict reasons started_at sample selection backup target snapshot timings"
    more = "stages tables facts redis checks proof basis strength drift budgets rows_read"
    assert list(result) == [*f"{parts} {more}".split(), "warnings", "not_checked", "notes"]
    assert result["schema"] == 1
    assert datetime.fromisoformat(result["started_at"]).utcoffset() is not None
    assert result["started_at"].endswith("Z")
    assert result["timings"]["restore"] >= 0.05
    assert result["timings"]["snapshot"] is None
    assert result["timings"]["total"] >= sum(s["seconds"] for s in result["stages"])
    assert result["tables"]["public.cards"]["rows"] == 1000
    assert result["not_checked"] == [{"what": "your own Redis", "why": "REDIS_URL is unset"}]


def test_checks_tell_id_outcome_sentence_and_stage(failed: Done) -> None:
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
    """What -k, an id or -x leave out is counted and told with its reason."""
    by_name = drill(project, "drill", "-k", "not redis").result
    by_id = drill(project, "drill/test_small.py::test_redis_answers").result
    stopped = drill(project, "drill", "-x", mode="wrong").result

    assert by_name["selection"] == "-k 'not redis'"
    left_out = {"what": "2 criteria of drill/test_small.py", "why": "deselected by -k 'not redis'"}
    assert left_out in by_name["not_checked"]
    assert "everything else in drill/" in [entry["what"] for entry in by_id["not_checked"]]
    unreached = {"what": "4 criteria of drill/test_small.py", "why": "stopping after 1 failures"}
    assert unreached in stopped["not_checked"]


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


def test_a_mistake_in_the_settings_leaves_a_result_and_no_old_verdict(project: Path) -> None:
    """A usage error takes the last run's reports away and leaves its own message in result.json."""
    drill(project)

    done = drill(project, BACKUP_PATH="/nowhere")

    assert done.code == 4
    assert done.files == {"result.json"}
    assert done.result["verdict"] == "could-not-run"
    assert "BACKUP_PATH" in done.result["reasons"][0]
    assert done.out.count("ERROR") == 1


def test_a_path_that_is_not_there_leaves_all_reports(project: Path) -> None:
    """A wrong path on the command line is exit 4, told in result.json."""
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
    """--html and --junitxml win over the report directory; the report is still ours."""
    done = drill(project, "drill", "--html=mine.html", "--junitxml=mine.xml")

    assert done.files == {"result.json"}
    assert "Restore drill: PASSED" in (project / "mine.html").read_text("utf-8")
    assert "Report: mine.html" in done.out
    assert (project / "mine.xml").exists()


def test_junit_tells_failures_from_errors(project: Path, failed: Done) -> None:
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


def test_terminal_reads_as_the_guide_says(passed: Done) -> None:
    """START banner, steps, PASSED banner; none of pytest's dots, headers or paths of files."""
    lines = passed.out.splitlines()

    start = lines.index("---- RESTORE DRILL START ----")
    assert lines[start + 1 : start + 3] == [
        "✓ Environment validated (target embedded, criteria drill/criteria.toml)",
        f"· Backup directory: {passed.folder.parent / 'backups'}",
    ]
    end = lines.index("---- RESTORE DRILL PASSED ----")
    assert lines[end + 1 : end + 3] == [
        "✓ Backup used: backup_20261123_050001.sql (26.2 MB, 3 h 25 min old)",
        "· Safety snapshot: not needed, the embedded target touches nothing that exists",
    ]
    assert "✓ 6 criteria passed" in lines[end:]
    assert "! Not checked: your own Redis (REDIS_URL is unset)" in lines[end:]
    assert lines[-1] == "· Report: drill-report/report.html"
    for noise in ("rootdir", "test_small.py .", "[100%]", "generated xml", "Generated html"):
        assert noise not in passed.out


def test_a_failure_is_told_when_it_happens_in_full_and_in_the_banner(failed: Done) -> None:
    """One line at once, the whole story once, one line in the banner, and what to do next."""
    line = "✗ test_table_has_rows[public.cards]: public.cards has 0 rows, the backup holds 1,000"

    assert failed.out.count(line) == 2
    assert failed.out.count("  1. read the <log>") == 1
    banner = failed.out.split("---- RESTORE DRILL FAILED ----")[1]
    assert "✗ 1 of 6 criteria does not hold: do not rely on this backup" in banner
    assert "· Next: mend what is named above" in banner
    assert "FAILURES" not in failed.out
    assert "short test summary" not in failed.out


def test_criteria_that_repeat_a_story_share_a_line(project: Path) -> None:
    """A stage that could not run is told by the first criterion; those after it are counted."""
    done = drill(project, mode="noserver")

    assert done.out.count("! test_table_has_rows[public.cards]: no server could be had") == 2
    assert done.out.count("checked: PyPI") == 1
    assert "! Not reached because of that: 2 criteria" in done.out
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
    assert bad.out.splitlines()[-1].startswith("RESTORE DRILL FAILED: 5 of 6 criteria passed, ")


def test_an_ascii_terminal_gets_ascii(project: Path) -> None:
    """Where the stream is not UTF-8 the signs are spelled out and nothing breaks."""
    done = drill(project, mode="wrong,evil", PYTHONIOENCODING="ascii")
    plain = drill(project, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="")

    assert done.out.isascii()
    assert "[ok] Environment validated" in done.out
    assert "[FAILED] test_table_has_rows[public.cards]" in done.out
    assert plain.out.isascii()
    assert "[ok] 6 criteria passed" in plain.out


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

    assert "! No backup is named (BACKUP_PATH, --backup): drilling the sample shop" in done.out
    assert done.result["sample"] is True
    for text in (done.out, done.page.read_text("utf-8")):
        assert "SAMPLE, not your backup" in text and "No backup of yours was drilled" in text


@pytest.mark.parametrize("option", ["-q", "-v", "--tb=long", "-rA"])
def test_no_password_comes_through(project: Path, option: str) -> None:
    """The password of DATABASE_URL stands in no file and on no terminal, however it is spelled."""
    summary = project / "summary.md"

    done = drill(
        project,
        "drill",
        option,
        mode="secret,evil",
        DATABASE_URL=DATABASE_URL,
        GITHUB_STEP_SUMMARY=str(summary),
    )

    texts = [done.out, summary.read_text("utf-8")]
    texts += [(done.folder / name).read_text("utf-8") for name in FILES]
    for text in texts:
        assert "***" in text.replace("\\", "")
        for spelling in (
            SECRET,
            quote(SECRET, safe=""),
            repr(SECRET)[1:-1],
            "p@ss",
            "p%40ss",
            "w#rd",
        ):
            assert spelling not in text


def test_an_internal_error_keeps_its_secrets(project: Path) -> None:
    """A traceback of pytest itself is masked too, on the terminal and in the files."""
    done = drill(project, mode="internal", DATABASE_URL=DATABASE_URL)

    assert done.code == 3
    assert "INTERNALERROR" in done.out
    assert "the drill itself is broken" in done.result["reasons"][0]
    for text in [done.out, *((done.folder / name).read_text("utf-8") for name in FILES)]:
        assert SECRET not in text
    assert "---- RESTORE DRILL COULD NOT RUN ----" in done.out


@pytest.mark.parametrize(
    ("url", "spellings"),
    [
        ("postgresql://u:s3cret%21x@h/db", ["s3cret%21x", "s3cret!x"]),
        ("postgresql://u:with@at/slash#x@h/db", ["with@at/slash#x"]),
        ("postgresql://h/db?user=u&password=in%20query", ["in%20query", "in query"]),
        ("host=h user=u password='quoted secret'", ["quoted secret"]),
        ("redis://:only-a-password@h:6379/0", ["only-a-password"]),
    ],
)
def test_redactor_knows_every_spelling(url: str, spellings: list[str]) -> None:
    """Passwords are masked as they stand in the URL and as they are used."""
    redact = Redactor(url, None)

    assert redact(f"a{spellings[0]}b").count("***") == 1
    assert all(spelling not in redact(f"it was {spelling}.") for spelling in spellings)
    assert all(spelling not in redact(url) for spelling in spellings)


def test_redactor_masks_foreign_urls_and_leaves_the_rest() -> None:
    """A password in any URL or libpq keyword goes; names, numbers and bare URLs stay."""
    redact = Redactor()

    assert redact("see https://u:pw@host/x") == "see https://u:***@host/x"
    assert redact("host=h password=pw dbname=d") == "host=h password=*** dbname=d"
    assert redact("1,000 rows at https://host:80/a@b") == "1,000 rows at https://host:80/a@b"
    assert redact("caf\udce9.sql") == "caf\\udce9.sql"


def test_summary_is_appended_as_markdown(project: Path) -> None:
    """The summary keeps what is there, and shows verdict, findings, backup and what was skipped."""
    summary = project / "summary.md"
    summary.write_text("before\n")

    drill(project, mode="wrong,evil", GITHUB_STEP_SUMMARY=str(summary))

    text = summary.read_text("utf-8")
    assert text.startswith("before\n## Restore drill: FAILED\n")
    assert "| failed | drill/test\\_small.py::test\\_table\\_has\\_rows\\[public.cards\\] |" in text
    assert "| size | 26.2 MB |" in text
    assert "| a &lt;b&gt;thing&lt;/b&gt; | because of \\`that\\` \\| and \\*this\\* |" in text
    assert "<img" not in text


def test_summary_that_cannot_be_written_does_not_hide_the_verdict(project: Path) -> None:
    """A missing summary file is told and leaves the exit code as it is."""
    done = drill(project, GITHUB_STEP_SUMMARY=str(project / "no" / "where.md"))

    assert done.code == 0
    assert "GITHUB_STEP_SUMMARY cannot be written" in done.out


def test_summary_of_many_failures_stays_small(project: Path) -> None:
    """What 300 criteria wait for is told once; the result has each of them."""
    summary = project / "summary.md"

    done = drill(project, mode="many,noserver", GITHUB_STEP_SUMMARY=str(summary))

    why = "not reached: no server could be had"
    assert f"| 302 criteria | {why} |" in summary.read_text("utf-8")
    assert len(done.out.splitlines()) < 60
    assert Counter(done.outcomes.values()) == {"error": 1, "skipped": 302, "passed": 3}
    assert {"what": "302 criteria", "why": why} in done.result["not_checked"]
    assert "and 250 rows more: see the report" in list(table(("A",), [("x",)] * 300))


def test_markdown_is_escaped() -> None:
    """Nothing in a cell is markup, and a cell is one line of bounded length."""
    assert escape("a|b\n<i>&`x`") == "a\\|b &lt;i&gt;&amp;\\`x\\`"
    assert len(escape("x" * 10_000)) < 600


def test_facts_are_told_in_their_units() -> None:
    """Keys of result.json become labels, values carry the unit that the key names."""
    facts = {
        "bytes": 1_500_000,
        "age_seconds": 7200,
        "taken_at": "2026-11-23T05:00:01+00:00",
        "server_version": 160004,
        "latency_median": 0.00034,
        "keys": 12345,
        "own": False,
        "database": "",
        "rolled_back": None,
    }

    assert describe(facts) == [
        ("size", "1.5 MB"),
        ("age", "2 h"),
        ("taken", "2026-11-23 05:00:01 UTC"),
        ("server", "16.4"),
        ("latency (median)", "0.34 ms"),
        ("keys", "12,345"),
        ("your own", "no"),
    ]


def test_a_write_that_fails_leaves_the_old_result(tmp_path: Path) -> None:
    """result.json is replaced in one step: a text that cannot be written leaves the old one."""
    path = tmp_path / "result.json"
    write_result(path, {"verdict": "passed"})

    with pytest.raises(TypeError):
        write_result(path, {"verdict": object()})

    assert json.loads(path.read_bytes()) == {"verdict": "passed"}
    assert list(tmp_path.iterdir()) == [path]

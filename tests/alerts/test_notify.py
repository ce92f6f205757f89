"""`restore-drill notify`: tests of channels, results of other jobs, and GitHub's 60 days."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from restore_drill.alerts import command
from restore_drill.core.calling import SUITE
from restore_drill.core.errors import UsageError
from tests.alerts.test_issues import environment
from tests.helpers.alerting import EMPTY, result_of
from tests.helpers.inboxes import Forge, Inbox, Mailbox
from tests.helpers.workflows import BASH, WEEKLY, step


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without `.env`, and no variables of a CI system."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("GITHUB_", "GITLAB_", "CI_", "DRILL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DRILL_CRITERIA", str(SUITE / "drill" / "criteria.toml"))


def notify(*options: str) -> int:
    """Exit code of `restore-drill notify` with these options."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(options), SUITE)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Set environment variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_test_sends_to_each_channel(
    box: Inbox, mail: Mailbox, forge: Forge, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Every one is shown with what became of it; no issue is opened."""
    given(monkeypatch, DRILL_NOTIFY=f"{box.hook} {mail.url}", DRILL_PING=f"{box.url}/ping")
    given(monkeypatch, **environment(forge, "github"))

    assert notify("--test") == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok      channel 1 (JSON): sent",
        "ok      channel 2 (E-Mail): sent",
        "ok      issues: can be read, 0 open; none is opened for a test",
        "ok      ping 1: pinged",
    ]
    assert box.messages[0]["title"] == mail.mails[0][0] == "Restore drill: a test of this channel"
    assert "/ping/log" in box.paths and forge.issues == []


@pytest.mark.usefixtures("no_pauses")
def test_test_of_a_dead_channel_is_red(
    box: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, the channel by its kind, and what to do."""
    given(monkeypatch, DRILL_NOTIFY=f"{box.hook} json://u:hidden@127.0.0.1:1/hidden")

    assert notify("--test") == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "ok      channel 1 (JSON): sent",
        "FAILED  channel 2 (JSON): did not take the message",
    ]
    assert err.startswith("1 of 2 alerts not delivered\n  checked: channel 2 (JSON)\n  1. ")
    assert "hidden" not in out + err


def test_test_without_channels_is_a_usage_error() -> None:
    """It names the variables."""
    with pytest.raises(UsageError, match="none of DRILL_NOTIFY, DRILL_ISSUES, DRILL_PING is set"):
        notify("--test")


def test_url_in_the_criteria_file_is_refused_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a secret, and that file is committed."""
    path = tmp_path / "criteria.toml"
    path.write_text('[notify]\nchannels = ["slack://hidden"]\n', encoding="utf-8")
    given(monkeypatch, DRILL_CRITERIA=str(path))
    with pytest.raises(UsageError, match="names of environment variables") as raised:
        notify("--test")
    assert "hidden" not in str(raised.value) and "line 2, [notify]" in str(raised.value)

    path.write_text('[notify]\nevents = ["fail"]\n', encoding="utf-8")
    with pytest.raises(
        UsageError, match=("'fail' is not an event; choose from failed, could-not-run")
    ):
        notify("--test")


def left(folder: Path, result: dict[str, Any]) -> str:
    """Path of `result`, as another job has left it."""
    path = folder / "result.json"
    path.write_text(json.dumps(result), encoding="utf-8")
    return str(path)


def test_results_of_other_jobs_keep_the_issue(
    forge: Forge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A red one, a job that died, one whose drill passed and that failed; then the recovery."""
    given(monkeypatch, **environment(forge, "github"))
    red, green = result_of("failed", EMPTY), result_of("passed")
    name = ("--name", "backup")

    assert notify("--result", left(tmp_path, red), "--job", "failure", *name) == 0
    assert notify("--result", str(tmp_path / "gone"), "--job", "cancelled", *name) == 0
    assert notify("--result", left(tmp_path, green), "--job", "failure", *name) == 0
    assert notify("--result", str(tmp_path / "gone"), "--job", "success", *name) == 0
    assert notify("--result", str(tmp_path / "gone"), "--job", "skipped", *name) == 0
    (issue,) = forge.open
    assert issue["title"] == "Restore drill FAILED: backup"
    assert "ended (cancelled) without a result.json" in issue["comments"][0]
    assert "the drill passed, but its job did not succeed: failure" in issue["comments"][1]
    assert len(issue["comments"]) == 3

    sample = result_of("sample", sample=True)
    assert notify("--result", left(tmp_path, sample), "--job", "success", *name) == 0
    assert forge.open, "the sample's pass says nothing about the backup"
    assert notify("--result", left(tmp_path, green), "--job", "success", *name) == 0
    assert not forge.open
    assert "ok      issue: closed issue #1" in capsys.readouterr().out


def ran(top: Path, **verdicts: str) -> str:
    """Path of the worst result of a run of several series with these verdicts."""
    listed, names = [], [f"db/{each}" for each in verdicts]
    for name, verdict in verdicts.items():
        (top / name).mkdir(exist_ok=True)
        result = result_of(verdict, *([EMPTY] if verdict == "failed" else []), run_of=names)
        result["backup"]["series"] = f"db/{name}"
        path = left(top / name, result)
        listed.append({"series": f"db/{name}", "reports": f"/elsewhere/{name}"})
        if verdict == max(verdicts.values(), key=["passed", "failed"].index):
            left(top, json.loads(Path(path).read_text("utf-8")))
    (top / "series.json").write_text(json.dumps({"series": listed}), encoding="utf-8")
    return str(top / "result.json")


def test_each_series_of_a_run_is_alerted_for(
    forge: Forge, box: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the worst alone: the other red one is heard of, and the pass of each closes its issue."""
    given(monkeypatch, **environment(forge, "github"), DRILL_NOTIFY=box.hook)
    more = ("--name", "backup", "--job")

    assert notify("--result", ran(tmp_path, shop="failed", auth="failed"), *more, "failure") == 0
    assert notify("--result", ran(tmp_path, shop="failed", auth="passed"), *more, "failure") == 0
    assert [each["title"] for each in forge.open] == ["Restore drill FAILED: backup: db/shop"]
    green = ran(tmp_path, shop="passed", auth="passed")
    assert notify("--result", green, *more, "failure") == 0
    assert [each["title"] for each in forge.open] == [
        "Restore drill FAILED: backup: db/shop", "Restore drill COULD NOT RUN: backup: db/auth",
    ]  # fmt: skip
    assert notify("--result", green, *more, "success") == 0 and not forge.open
    (tmp_path / "auth" / "result.json").unlink()
    assert notify("--result", green, *more, "success") == 0
    assert forge.open[0]["title"] == "Restore drill COULD NOT RUN: backup"
    assert "db/auth: it left no result.json" in forge.open[0]["body"]
    assert notify("--result", green, *more, "skipped") == 0

    assert [each["title"].partition("drill ")[2] for each in box.messages] == [
        "FAILED: backup: db/shop", "FAILED: backup: db/auth",
        "FAILED: backup: db/shop", "passed again: backup: db/auth",
        "COULD NOT RUN: backup: db/shop", "COULD NOT RUN: backup: db/auth",
        "passed again: backup: db/shop", "passed again: backup: db/auth",
        "COULD NOT RUN: backup",
    ]  # fmt: skip


def test_sample_has_an_issue_of_its_own(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is opened by its failure, also where it left no result, and closed by its success."""
    given(monkeypatch, **environment(forge, "github"))
    gone, name = str(tmp_path / "gone"), ("--name", "sample")
    assert notify("--result", gone, "--job", "failure", *name) == 0
    red = result_of("failed", EMPTY, sample=True)
    assert notify("--result", left(tmp_path, red), "--job", "failure", *name) == 0
    (issue,) = forge.open
    assert issue["title"] == "Restore drill COULD NOT RUN: sample" and len(issue["comments"]) == 1

    assert notify("--result", left(tmp_path, result_of("sample", sample=True)), *name) == 0
    assert not forge.open


@pytest.mark.parametrize(
    "found", ["", "[]", '{"verdict": "passed", "checks": 3}', '{"verdict": 1}']
)
def test_file_that_is_no_result_is_no_pass(
    box: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """Whatever lies there."""
    given(monkeypatch, DRILL_NOTIFY=box.hook)
    (tmp_path / "result.json").write_text(found, encoding="utf-8")
    assert notify("--result", str(tmp_path / "result.json"), "--job", "success") == 0

    assert box.messages[0]["title"] == "Restore drill COULD NOT RUN"


def test_note_of_a_run_by_hand_is_one_line(
    box: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever started it and why."""
    given(monkeypatch, DRILL_NOTIFY=box.hook)
    assert (
        notify("--result", left(tmp_path, result_of("failed", EMPTY)), "--note", "by me:\n# a") == 0
    )

    assert "\nby me:\\n# a\n" in box.messages[0]["message"]


@pytest.mark.parametrize(
    ("days", "private", "warns"), [(45, False, True), (20, False, False), (45, True, False)]
)
def test_schedule_warns_before_github_switches_it_off(
    forge: Forge, box: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    days: int, private: bool, warns: bool,  # noqa: FBT001 - of the table above
) -> None:  # fmt: skip
    """In the log, in an issue of its own and on the channels; no private repository."""
    forge.committed = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    forge.private = private
    given(monkeypatch, DRILL_NOTIFY=box.hook, GITHUB_REPOSITORY="someone/shop")
    given(monkeypatch, **environment(forge, "github"))

    assert notify("--github-schedule") == 0
    out = capsys.readouterr().out
    assert ("::warning title=Restore drill MISSED: schedule of someone/shop::" in out) is warns
    assert bool(forge.open) is warns and bool(box.messages) is warns
    if warns:
        text = box.messages[0]["message"]
        assert "is 45 days old: after 60 GitHub switches off" in text and "in 15 days" in text
        assert "gh workflow enable restore-drill.yml" in text


def test_commit_closes_the_issue_of_the_schedule(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a token that is missing is a usage error."""
    given(monkeypatch, GITHUB_REPOSITORY="someone/shop", **environment(forge, "github"))
    assert notify("--github-schedule") == 0
    assert len(forge.open) == 1
    forge.committed = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    assert notify("--github-schedule") == 0
    assert not forge.open

    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(UsageError, match="no token"):
        notify("--github-schedule")


def test_step_of_the_weekly_workflow_alerts_for_both_drills(forge: Forge, tmp_path: Path) -> None:
    """The backup's job died, the sample passed; the last line watches the schedule."""
    reports = tmp_path / "reports" / "drill-report-sample"
    reports.mkdir(parents=True)
    left(reports, result_of("sample", sample=True))
    called = tmp_path / "restore-drill"
    called.write_text(f'#!/bin/sh\nexec {sys.executable} -m drill "$@"\n', encoding="utf-8")
    called.chmod(0o755)
    steps = WEEKLY["jobs"]["alerts"]["steps"]
    done = subprocess.run(
        [*BASH, step(steps, "Alert")["run"]],
        cwd=tmp_path,
        env={
            **environment(forge, "github"),
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "PYTHONPATH": f"{SUITE}:{SUITE / 'src'}",
            "GITHUB_REPOSITORY": "someone/shop",
            "GITHUB_ACTOR": "me",
            "REASON": "a `look`",
            "SAMPLE_RESULT": "success",
            "BACKUP_RESULT": "cancelled",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert [each["title"] for each in forge.open] == [
        "Restore drill COULD NOT RUN: backup", "Restore drill MISSED: schedule of someone/shop",
    ]  # fmt: skip
    assert "Started by hand by me: a `look`" in forge.open[0]["body"]

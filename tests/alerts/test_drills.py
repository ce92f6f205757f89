"""Drills that alert: what is sent within their run; nothing of it changes their verdict."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures.report import alerts
from tests.alerts.test_issues import environment as issues_at
from tests.helpers import mini_drill
from tests.helpers.drills import ROOT
from tests.helpers.inboxes import Forge, Inbox, Mailbox
from tests.helpers.mini_drill import DATABASE_URL, SECRET, command, drill, make_project
from tests.helpers.shop import Shops


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A drill in small."""
    return make_project(tmp_path / "project")


def test_red_drill_and_its_recovery_reach_everyone(
    project: Path, box: Inbox, mail: Mailbox, forge: Forge
) -> None:
    """Mail, hook, issue and ping; a channel that nobody knows changes neither verdict nor code."""
    channels = f"{mail.url} {box.hook} nonsense://u:hidden-word@h"
    settings = {"DRILL_NOTIFY": channels, "DRILL_PING": f"{box.url}/ping"}
    settings |= issues_at(forge, "github") | {"DATABASE_URL": DATABASE_URL}
    red = drill(project, mode="secret", **settings)
    found = f"{red.result}{red.page.read_text('utf-8')}"
    assert (red.code, red.result["verdict"]) == (1, "failed")
    green = drill(project, **settings)

    assert (green.code, green.result["verdict"]) == (0, "passed")
    assert [subject for subject, _ in mail.mails] == [
        "Restore drill FAILED: db/backup", "Restore drill passed again: db/backup",
    ]  # fmt: skip
    assert len(box.messages) == 2
    text = mail.mails[0][1]
    assert "test_foreign_keys_hold: " in text and "no way in with" in text
    assert f"{red.runs[0] / 'report.html'}\n" in text.replace("\r\n", "\n")
    (issue,) = forge.issues
    assert issue["state"] == "closed" and len(issue["comments"]) == 1
    pings = [path for path in box.paths if path.startswith("/ping")]
    assert pings == ["/ping/start", "/ping/1", "/ping/start", "/ping"]
    for done in (red, green):
        assert "not alerted: channel 3: apprise does not know its URL" in done.out
    sent = f"{mail.mails}{box.taken}{forge.issues}"
    assert sent.count("no way in with") >= 4 and SECRET not in sent
    for secret in ("hidden-word", forge.token, box.host):
        assert secret not in red.out + green.out + found


LEAK = """
import os

def test_leak():
    assert False, " and ".join(os.environ[name] for name in ("DRILL_PING", "GITHUB_TOKEN"))
"""


def test_criterion_that_shows_a_token_does_not(project: Path, box: Inbox, forge: Forge) -> None:
    """Neither the terminal, a file, a message nor an issue has it, or the URL of a monitor."""
    (project / "drill" / "test_own.py").write_text(LEAK, encoding="utf-8")
    settings = {"DRILL_NOTIFY": box.hook, "DRILL_PING": f"{box.url}/ping-hidden"}
    done = drill(project, **settings, **issues_at(forge, "github"))
    files = "".join(each.read_text("utf-8") for each in done.folder.iterdir() if each.is_file())

    assert done.code == 1 and "*** and ***" in box.messages[0]["message"]
    for secret in ("ping-hidden", forge.token):
        assert secret not in f"{done.out}{files}{box.messages}{forge.issues}"


def test_error_in_the_criteria_file_is_announced(project: Path, box: Inbox) -> None:
    """By what `[notify]` of that very file says, where that can be read."""
    criteria = project / "drill" / "criteria.toml"
    text = '[notify]\nchannels = ["MY_HOOK"]\nname = "the shop"\n[budgets]\nmax_age = "1d"\n'
    criteria.write_text(text, encoding="utf-8")
    done = drill(project, MY_HOOK=box.hook, DRILL_PING=f"{box.url}/ping")

    assert done.code == 4
    (message,) = box.messages
    assert message["title"] == "Restore drill COULD NOT RUN: the shop"
    assert "unknown key 'max_age'" in message["message"]
    assert [path for path in box.paths if path != "/hook"] == ["/ping/start", "/ping/4"]


def test_wrong_settings_have_an_issue_until_a_pass(project: Path, forge: Forge) -> None:
    """A mistyped BACKUP_PATH and none at all are one mistake in the call of this drill."""
    settings = issues_at(forge, "github") | {"DRILL_REQUIRE_BACKUP": "1"}
    wrong = drill(project, BACKUP_PATH=str(project / "bakcups"), **settings)
    none = drill(project, mode="noserver", BACKUP_PATH="", **settings)
    assert (wrong.code, none.code) == (4, 4)
    (issue,) = forge.open
    assert issue["title"] == "Restore drill COULD NOT RUN: bakcups/*"
    assert "which does not exist" in issue["body"] and len(issue["comments"]) == 1

    assert drill(project, mode="wrong", **settings).code == 1
    assert len(forge.open) == 2
    assert drill(project, **settings).code == 0
    assert not forge.open


def test_report_that_cannot_be_written_is_announced(project: Path, box: Inbox) -> None:
    """The drill ends before anything begins: a full disk, a folder that is not its own."""
    (project / "drill-report").write_text("in the way", encoding="utf-8")
    done = drill(project, DRILL_NOTIFY=box.hook, DRILL_PING=f"{box.url}/ping")

    assert done.code == 4
    (message,) = box.messages
    assert message["title"] == "Restore drill COULD NOT RUN: backups/*"
    assert "no report can be written" in message["message"]
    assert [path for path in box.paths if path != "/hook"] == ["/ping/start", "/ping/4"]


def test_bug_in_an_alert_is_no_bug_of_the_drill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    """It is named by its kind: its text may hold a URL."""

    def breaks(_config: pytest.Config) -> None:
        raise RuntimeError("https://hidden")

    monkeypatch.setattr(alerts, "configured", breaks)
    alerts.announce_end(pytestconfig, 0, None)
    assert capsys.readouterr().err == "alerts could not be sent: RuntimeError\n"


def test_picked_criteria_ping_nothing(project: Path, box: Inbox) -> None:
    """What fails in them is sent all the same where no terminal shows it."""
    settings = {"DRILL_NOTIFY": box.hook, "DRILL_PING": f"{box.url}/ping"}
    done = drill(project, "drill", "-k", "rows", mode="wrong", **settings)

    assert done.code == 1
    assert box.paths == ["/hook"] and box.messages[0]["title"].startswith("Restore drill FAILED")


@pytest.mark.parametrize(("number", "is_typed"), [
    (signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, True),
])  # fmt: skip
def test_drill_that_is_ended_says_so(
    project: Path, box: Inbox, number: signal.Signals, *, is_typed: bool
) -> None:
    """Whoever pressed Ctrl-C knows, and only the monitor gets the end; a scheduler tells nobody."""
    settings = {"DRILL_NOTIFY": box.hook, "DRILL_PING": f"{box.url}/ping"}
    is_known = number == signal.SIGINT and is_typed
    keyboard, terminal = os.openpty()
    with subprocess.Popen(
        command("drill"),
        cwd=project,
        env=mini_drill.environment(project, "hang", **settings),
        stdin=terminal if is_typed else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not (project / "hanging").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)

    os.close(keyboard)
    os.close(terminal)
    assert process.returncode == 2, out
    titles = [] if is_known else ["Restore drill COULD NOT RUN: db/backup"]
    assert [each["title"] for each in box.messages] == titles
    assert [path for path in box.paths if path != "/hook"] == ["/ping/start", "/ping/2"]


STUBBORN = """
import time
from restore_drill.core import deadline

deadline.AGAIN = 0.3


def test_stubborn():
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            pass
"""


def test_drill_that_catches_every_interrupt_alerts_before_it_is_ended(
    project: Path, box: Inbox
) -> None:
    """The last thing that its process does, with a result that says why."""
    (project / "drill" / "test_own.py").write_text(STUBBORN, encoding="utf-8")
    settings = {"DRILL_NOTIFY": box.hook, "DRILL_PING": f"{box.url}/ping"}
    done = drill(project, "drill/test_own.py", "drill", "--timeout", "1s", **settings)

    assert (done.code, done.result["verdict"]) == (6, "could-not-run")
    assert "took longer than 1.00 s" in done.result["reasons"][0]
    (message,) = box.messages
    assert "Reason: the drill took longer than 1.00 s" in message["message"]
    assert [path for path in box.paths if path != "/hook"] == ["/ping/start", "/ping/6"]


def test_sample_alerts_nobody(project: Path, box: Inbox) -> None:
    """Its pass is of nobody's backup: the monitor hears of a failure."""
    done = drill(project, mode="sample", DRILL_NOTIFY=box.hook, DRILL_PING=f"{box.url}/ping")

    assert (done.code, done.result["verdict"]) == (0, "sample")
    assert box.paths == ["/ping/start", "/ping/fail"]


def cron(folder: Path, line: int) -> subprocess.CompletedProcess[str]:
    """Run this line of `deploy/crontab` as cron does, its folders being in `folder`."""
    called = folder / ".venv" / "bin" / "restore-drill"
    called.parent.mkdir(parents=True, exist_ok=True)
    called.write_text(f'#!/bin/sh\nexec {sys.executable} -m drill "$@"\n', encoding="utf-8")
    called.chmod(0o755)
    text = (ROOT / "deploy" / "crontab").read_text(encoding="utf-8")
    for path, own in (
        ("/opt/restore-drill", "."),
        ("/var/backups/shop", "backups"),
        ("/var/log", "."),
    ):
        text = text.replace(path, str(folder / own))
    given = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    commands = re.findall(r"^\S+ \S+ \* \* \S+  root  (.*)$", text, re.MULTILINE)
    covered = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return subprocess.run(
        ["/bin/sh", "-c", commands[line]],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(Path.home()),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
            "XDG_STATE_HOME": str(folder / "state"),
            **covered,
            **given,
        },
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def test_newcomers_path(shops: Shops, tmp_path: Path, mail: Mailbox) -> None:
    """The cron lines as shipped: a red drill, its mail, status red; then the pass and its mail."""
    backup = tmp_path / "backups" / "shop.sql"
    backup.parent.mkdir()
    whole = shops.dump(15, "plain.sql").read_bytes()
    backup.write_bytes(whole[: len(whole) // 2])
    (tmp_path / ".env").write_text(f"DRILL_NOTIFY={mail.url}\n", encoding="utf-8")

    assert cron(tmp_path, 0).returncode == 1
    ((subject, text),) = mail.mails
    assert subject == "Restore drill FAILED: backups/shop"
    assert "test_backup_is_complete: " in text and "1. " in text
    assert len(text.strip().splitlines()) < 10
    (run,) = (tmp_path / "drill-report").glob("*Z-shop")
    assert f"{os.uname().nodename}:{run / 'report.html'}" in text
    assert cron(tmp_path, 1).returncode == 1
    assert len(mail.mails) == 1, "a red drill has alerted by itself"

    backup.write_bytes(whole)
    assert cron(tmp_path, 0).returncode == 0
    assert mail.mails[1][0] == "Restore drill passed again: backups/shop"
    assert cron(tmp_path, 1).returncode == 0
    assert len(mail.mails) == 2
    log = (tmp_path / "restore-drill.log").read_text(encoding="utf-8")
    assert "Alerts: channel 1 (E-Mail): sent" in log and mail.url not in log

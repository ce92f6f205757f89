"""A drill that did not come is announced once a day, by whoever asks for the status."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.alerts.missed import NAME, Miss, announce_missed, sentence
from restore_drill.alerts.subject import Subject, mark_of
from restore_drill.config.alerts import alerts_of
from restore_drill.config.criteria.notify import Notify
from restore_drill.core.calling import SUITE
from restore_drill.core.errors import UsageError
from restore_drill.watch import status
from restore_drill.watch.history import Drill
from tests.alerts.test_issues import environment
from tests.helpers.histories import FAILED, caller, write
from tests.helpers.inboxes import Forge, Inbox, Mailbox

SHOP = Subject("db/shop", (mark_of("db/shop", "ops1:/srv"),))
WHAT = {"db/shop": Miss(SHOP, "the last drill passed 9 d ago; the limit is 8 d")}


IN_ORDER = {"db/shop": SHOP}


@pytest.mark.parametrize(
    ("text", "told"), [("it is gone", "it is gone."), ("is it?", "is it?"), ("gone.", "gone.")]
)
def test_a_sentence_ends_once(text: str, told: str) -> None:
    """No full stop after another mark."""
    assert sentence(text) == told


def test_missed_drill_is_announced_once_a_day(box: Inbox, tmp_path: Path) -> None:
    """Until it comes; the next one that does not is announced at once."""
    alerts = alerts_of({"DRILL_NOTIFY": box.hook}, Notify())

    def told(missed: dict[str, Miss]) -> int:
        before = len(box.messages)
        announce_missed(
            alerts, missed, ["look at the schedule"], tmp_path, {} if missed else IN_ORDER
        )
        return len(box.messages) - before

    assert [told(WHAT), told(WHAT), told({}), told({}), told(WHAT)] == [1, 0, 1, 0, 1]
    assert (box.messages[1]["title"], box.messages[1]["type"]) == (
        "Restore drill in order: db/shop", "success",
    )  # fmt: skip
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    (tmp_path / NAME).write_text(json.dumps({"db/shop": yesterday}), encoding="utf-8")
    assert told(WHAT | {"db/other": Miss(Subject("db/other"), "no drill has been recorded")}) == 2
    (tmp_path / NAME).write_text("torn", encoding="utf-8")
    assert told(WHAT) == 1

    far = (datetime.now(UTC) + timedelta(days=900)).isoformat()
    (tmp_path / NAME).write_text(json.dumps({"db/shop": far}), encoding="utf-8")
    assert [told(WHAT), told(WHAT)] == [1, 0]  # the clock was wrong, and is right now

    unwritable = tmp_path / "file"
    unwritable.touch()
    assert len(announce_missed(alerts, WHAT, [], unwritable)) == 1

    message = box.messages[0]
    assert message["title"] == "Restore drill MISSED: db/shop" and message["type"] == "warning"
    assert message["message"].startswith(
        "The last drill passed 9 d ago; the limit is 8 d.\n1. look"
    )


def test_missed_drill_opens_the_issue_of_its_database(forge: Forge) -> None:
    """A channel that is not to hear of it hears nothing."""
    variables = environment(forge, "gitlab") | {"DRILL_NOTIFY": "json://127.0.0.1:1"}
    alerts = alerts_of(variables, Notify(events=("failed",)))
    (outcome,) = announce_missed(alerts, WHAT, [], None)

    assert outcome.line == "issue: opened issue #1"
    assert forge.open[0]["title"] == "Restore drill MISSED: db/shop"


def test_what_nobody_heard_of_is_announced_again(tmp_path: Path, box: Inbox) -> None:
    """As soon as one channel takes it."""
    deaf = alerts_of({"DRILL_NOTIFY": "json://127.0.0.1:1/hook"}, Notify())
    (outcome,) = announce_missed(deaf, WHAT, [], tmp_path)
    assert outcome.problem

    announce_missed(alerts_of({"DRILL_NOTIFY": box.hook}, Notify()), WHAT, [], tmp_path)

    assert len(box.messages) == 1


def test_a_red_drill_that_none_followed_is_missed(
    tmp_path: Path, box: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has alerted once, long ago; of two histories with one series each is named."""
    old = [replace(FAILED, at=datetime.now(UTC) - timedelta(days=days)) for days in (60, 30)]
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, drill in zip(folders, old, strict=True):
        write(folder, drill)
    monkeypatch.setenv("DRILL_NOTIFY", box.hook)

    caller(tmp_path, monkeypatch, capsys)("status", "--notify", *map(str, folders))

    titles = sorted(each["title"] for each in box.messages)
    assert titles == [f"Restore drill MISSED: {folder}: db/shop" for folder in folders]
    assert any(
        ("60 d ago, and there has been none since") in each["message"] for each in box.messages
    )


def test_status_announces_what_did_not_come(
    tmp_path: Path, mail: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, however often it is asked for; and that it knows nothing where the backups are gone."""
    folder = tmp_path / "backups" / ".drill"
    folder.mkdir(parents=True)
    began = datetime.now(UTC) - timedelta(days=9)
    old = Drill(began, "passed", None, "a.sql", 1, 1, 1.0, 1.0, 1.0, series="backups/shop")
    (folder / "history.jsonl").write_text(json.dumps(old.as_json()) + "\n", encoding="utf-8")
    (tmp_path / ".env").write_text(f"DRILL_NOTIFY={mail.url}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path / "backups"))
    parser = argparse.ArgumentParser()
    status.add_arguments(parser)
    asked = parser.parse_args(["--notify"])

    assert [status.run(asked, SUITE) for _ in range(2)] == [1, 1]
    ((subject, text),) = mail.mails
    assert subject == "Restore drill MISSED: backups/shop"
    assert "The last drill passed 9 d ago; the limit is 8 d" in text

    (tmp_path / "backups").rename(tmp_path / "unmounted")
    with pytest.raises(UsageError):
        status.run(asked, SUITE)
    assert mail.mails[1][0] == "Restore drill status UNKNOWN: status"
    assert "Cannot tell whether drills still run: BACKUP_PATH names" in mail.mails[1][1]

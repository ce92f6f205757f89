"""A drill that did not come is announced once a day, by whoever asks for the status."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from restore_drill.alerts.missed import NAME, announce_missed
from restore_drill.config.alerts import alerts_of
from restore_drill.config.criteria.notify import Notify
from tests.alerts.test_issues import environment
from tests.helpers.inboxes import Forge, Inbox

WHAT = {"db/shop": "the last drill passed 9 d ago; the limit is 8 d"}


def test_missed_drill_is_announced_once_a_day(box: Inbox, tmp_path: Path) -> None:
    """Until it comes; the next one that does not is announced at once."""
    alerts = alerts_of({"DRILL_NOTIFY": box.hook}, Notify())

    def told(missed: dict[str, str]) -> int:
        before = len(box.messages)
        announce_missed(alerts, missed, ["look at the schedule"], tmp_path)
        return len(box.messages) - before

    assert [told(WHAT), told(WHAT), told({}), told(WHAT)] == [1, 0, 0, 1]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    (tmp_path / NAME).write_text(json.dumps({"db/shop": yesterday}), encoding="utf-8")
    assert told(WHAT | {"db/other": "no drill has been noted"}) == 2
    (tmp_path / NAME).write_text("torn", encoding="utf-8")
    assert told(WHAT) == 1

    unwritable = tmp_path / "file"
    unwritable.touch()
    assert len(announce_missed(alerts, WHAT, [], unwritable)) == 1

    message = box.messages[0]
    assert message["title"] == "Restore drill MISSED: db/shop" and message["type"] == "warning"
    assert message["message"].startswith(
        "the last drill passed 9 d ago; the limit is 8 d.\n1. look"
    )


def test_missed_drill_opens_the_issue_of_its_database(forge: Forge) -> None:
    """A channel that is not to hear of it hears nothing."""
    variables = environment(forge, "gitlab") | {"DRILL_NOTIFY": "json://127.0.0.1:1"}
    alerts = alerts_of(variables, Notify(events=("failed",)))
    (outcome,) = announce_missed(alerts, WHAT, [], None)

    assert outcome.line == "issue: opened issue #1"
    assert forge.open[0]["title"] == "Restore drill MISSED: db/shop"

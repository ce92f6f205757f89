"""A recovery is in order only if all of its evidence says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from restore_drill.backups.physical.model import BASE, Physical
from restore_drill.recovery.control_data import ControlData
from restore_drill.recovery.goals import goal_of
from restore_drill.recovery.judge import Known, judge
from restore_drill.recovery.model import Evidence, Side

AT = datetime(2026, 11, 27, 23, 36, 49, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CONTROL = ControlData("42", "in production", 0x3000028, 1, 1, 1 << 24, {}, has_checksums=True)
BEFORE = f"recovery stopping before commit of transaction 8, time {AT + SECOND}"
STOPPED = {
    "2026-11-27 23:36:49": BEFORE,
    "xid:7": "recovery stopping after commit of transaction 7, time 2026-11-27 23:36:49+00",
    "lsn:0/4000000": 'recovery stopping after WAL location (LSN) "0/4000000"',
    "name:rp1": 'recovery stopping at restore point "rp1", time 2026-11-27 23:36:49+00',
    "immediate": "recovery stopping after reaching consistency",
    "latest": "",
}
"""What the server says where it has reached a goal."""


def known(goal: str = "latest", timeline: str = "latest", **changed: Any) -> Known:
    """A recovery to `goal` that is in order, but for what is changed in its evidence."""
    physical = Physical(BASE, Path("/b"), (), 15, system="42", stop_lsn=0x3000100)
    evidence = Evidence(
        began=True,
        consistent=True,
        stopped=STOPPED[goal],
        last_in=Side(None, AT - SECOND),
        first_out=Side(8, AT + SECOND),
        redo_from=0x3000028,
        end_lsn=0x4000000,
        timeline=1,
        system="42",
    )
    evidence = replace(evidence, **changed)
    return Known(physical, goal_of(goal, timeline), evidence, CONTROL, CONTROL, had_label=True)


def causes(found: Known) -> list[str]:
    """Causes of the faults."""
    return [cause for _, cause in judge(found).faults]


def test_replay_reaches_the_place_of_all_pages() -> None:
    """A copied standby whose WAL is gone starts, with pages of a later place than its WAL."""
    shut_down = CONTROL._replace(state="shut down in recovery")
    found = replace(known(end_lsn=0x4008000), had_label=False)
    for least, expected in ((0x41666C0, ["no_wal"]), (0x4008000, [])):
        assert causes(replace(found, before=shut_down._replace(least=least))) == expected


@pytest.mark.parametrize("goal", STOPPED)
def test_a_goal_that_was_reached_is_in_order(goal: str) -> None:
    """Whatever its kind."""
    assert causes(known(goal)) == []


@pytest.mark.parametrize("goal", [each for each in STOPPED if each != "latest"])
@pytest.mark.parametrize(
    "stopped",
    [
        "",
        'recovery stopping at restore point "rp11"',
        'recovery stopping after WAL location (LSN) "0/40000000"',
        "recovery stopping after commit of transaction 77, time 2026-11-27 23:36:49+00",
    ],
)
def test_a_stop_elsewhere_is_a_fault(goal: str, stopped: str) -> None:
    """Also at a goal whose name begins as that of the one that was asked for."""
    assert causes(known(goal, stopped=stopped)) == ["not_reached"]


def test_a_time_is_reached_only_between_both_sides() -> None:
    """The last one in is not after it, the first one out is."""
    goal = "2026-11-27 23:36:49"
    assert causes(known(goal, last_in=Side(None, AT), first_out=Side(8, AT + SECOND))) == []
    assert causes(known(goal, last_in=Side(None, AT + SECOND))) == ["too_early"]
    assert causes(known(goal, first_out=Side(8, AT))) == ["not_reached"]
    assert causes(known(goal, first_out=None)) == ["not_reached"]


def test_a_prepared_transaction_may_be_the_goal() -> None:
    """The server has other words for its end."""
    stopped = "recovery stopping after commit of prepared transaction 7, time 2026-11-27 23:36:49"
    assert causes(known("xid:7", stopped=stopped)) == []


def test_a_backup_that_was_not_made_whole_is_a_fault() -> None:
    """Its label was not read, its end not reached, or its WAL ended before."""
    assert causes(known(began=False)) == ["no_label"]
    assert causes(known(consistent=False)) == ["no_wal"]
    assert causes(known(end_lsn=0x30000FF)) == ["no_wal"]


def test_without_a_label_only_a_server_that_was_shut_down_is_whole() -> None:
    """A standby too."""
    found = known(began=False, consistent=False)
    found.had_label = False
    assert causes(found) == ["no_label"]
    for state in ("shut down", "shut down in recovery"):
        found.before = CONTROL._replace(state=state)
        assert causes(found) == []


def test_the_files_of_another_server_are_a_fault() -> None:
    """By the system identifier."""
    found = known()
    found.after = CONTROL._replace(system="43")
    assert causes(found) == ["foreign"]


def test_another_timeline_than_asked_for_is_a_fault() -> None:
    """By number, or that of the backup itself."""
    assert causes(known(timeline="1")) == causes(known(timeline="current")) == []
    assert causes(known(timeline="2")) == ["timeline"]


def test_an_unknown_newest_transaction_is_told() -> None:
    """Where the server names none."""
    assert judge(known()).told == []
    assert len(judge(known(last_in=None)).told) == 1

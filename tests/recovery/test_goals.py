"""What users write as the target of a recovery, and what is no target."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.backups.physical.model import BASE, Physical
from restore_drill.core.errors import UsageError
from restore_drill.recovery.goals import check_reachable, goal_of, target_settings
from restore_drill.recovery.model import Goal
from restore_drill.recovery.unreached import steps

AT = datetime(2026, 11, 27, 23, 36, 49, tzinfo=UTC)
BACKUP = Physical(BASE, Path("/b"), (), 15, stop_lsn=0x1000100, stopped_at=AT)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27 23:36:49+00", "2026-11-27T23:36:49Z", "2026-11-28 00:36:49+01",
        "2026-11-28T00:36:49+01:00", "2026-11-27 23:36:49", "2026-11-27 23:36:49 UTC",
        " 2026-11-27 23:36:49 utc ", "time:2026-11-27 23:36:49",
    ],
)  # fmt: skip
def test_a_time_is_read_in_its_zone_and_without_one_in_utc(text: str) -> None:
    """ISO forms with a zone, and without; PostgreSQL is given it with one."""
    goal = goal_of(text)
    assert (goal.how, goal.when, goal.value) == ("time", AT, "2026-11-27 23:36:49+00:00")


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("latest", Goal("latest")),
        ("Immediate", Goal("immediate")),
        ("lsn:0/1e0000b0", Goal("lsn", "0/1E0000B0")),
        ("xid:787", Goal("xid", "787")),
        ("xid:4294968083", Goal("xid", "787")),
        ("name:before: release", Goal("name", "before: release")),
    ],
)
def test_other_targets_are_read(text: str, goal: Goal) -> None:
    """As PostgreSQL is given them: an xid of pg_current_xact_id() without its epoch."""
    assert goal_of(text) == goal


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "now", "lsn:", "lsn:12", "lsn:0/1/2", "lsn:0/123456789", "xid:", "xid:two",
        "xid:-3", "xid:2", "xid:4294967297", "xid:18446744073709551616", "xid:\u0664", "name:",
        "name:" + "x" * 64, "name:a\nb", "2026-13-01", "2026-11-27 25:00", "0001-01-01 00:00+01",
        "timeline:3", "latest:3", "2026-11-27 23:36:49 CET",
    ],
)  # fmt: skip
def test_nonsense_is_an_error_of_the_user_with_examples(text: str) -> None:
    """It is named with what may stand there."""
    with pytest.raises(UsageError, match="examples: latest, immediate"):
        goal_of(text)


@pytest.mark.parametrize("timeline", ["0", "-1", "newest", "4294967296", "1.5", "0x3"])
def test_a_timeline_is_a_number(timeline: str) -> None:
    """Or latest, or current."""
    assert goal_of("latest", "003").timeline == "3"
    assert goal_of("latest", " Current ").timeline == "current"
    assert goal_of("latest", "").timeline == "latest"
    with pytest.raises(UsageError, match="is no timeline"):
        goal_of("latest", timeline)


def test_a_target_before_the_end_of_the_backup_is_refused() -> None:
    """Nothing is copied for it: PostgreSQL would stop later, and say nothing."""
    for text in ("2026-11-27 23:36:48", "lsn:0/10000FF"):
        with pytest.raises(UsageError, match="lies before the end of the backup"):
            check_reachable(BACKUP, goal_of(text))
    with pytest.raises(UsageError, match=r"or an older backup \(--set\)"):
        check_reachable(replace(BACKUP, sets=("a", "b")), goal_of("2020-01-01"))


def test_a_time_in_the_future_is_refused() -> None:
    """No WAL reaches it yet; clocks may differ by some minutes."""
    now = datetime.now(UTC)
    with pytest.raises(UsageError, match=r"--recover-to 2\S+ \S+ UTC lies in the future"):
        check_reachable(BACKUP, goal_of(str(now + timedelta(hours=1))))
    check_reachable(replace(BACKUP, stopped_at=None), goal_of(str(now + timedelta(seconds=60))))


def test_a_target_is_shown_in_one_way() -> None:
    """However it was written; what is shown can be given again."""
    for text, shown in {
        "2026-11-28 00:36:49.02+01": "2026-11-27 23:36:49.020000 UTC",
        "2026-11-27T23:36:49Z": "2026-11-27 23:36:49 UTC",
        "lsn:0/1e0000b0": "lsn:0/1E0000B0",
        "latest": "latest",
    }.items():
        assert goal_of(text).text == shown
        assert goal_of(shown) == goal_of(text)


@pytest.mark.parametrize(
    "text", ["2026-11-27 23:36:49", "lsn:0/1000100", "latest", "immediate", "xid:5", "name:a"]
)
def test_a_target_at_the_end_or_later_is_not_refused(text: str) -> None:
    """Nor one of which only recovery can tell where it lies, nor any of a backup without times."""
    check_reachable(BACKUP, goal_of(text))
    check_reachable(replace(BACKUP, stop_lsn=None, stopped_at=None), goal_of("2020-01-01"))


def test_the_server_is_told_the_target() -> None:
    """One setting for each kind, none for the latest."""
    ends = {"recovery_target_timeline": "latest", "recovery_target_action": "promote"}
    assert target_settings(goal_of("latest")) == ends
    assert target_settings(goal_of("immediate")) == ends | {"recovery_target": "immediate"}
    assert target_settings(goal_of("name:a")) == ends | {"recovery_target_name": "a"}
    assert target_settings(goal_of("lsn:0/1", "3")) == {
        "recovery_target_timeline": "3",
        "recovery_target_action": "promote",
        "recovery_target_lsn": "0/1",
    }


@pytest.mark.parametrize(
    ("text", "sets", "is_named"),
    [("name:a", ("x", "y"), True), ("xid:787", ("x", "y"), True), ("name:a", (), False),
     ("lsn:F/0", ("x", "y"), False)],
)  # fmt: skip
def test_an_older_set_may_have_what_is_not_in_the_wal(
    text: str, sets: tuple[str, ...], *, is_named: bool
) -> None:
    """A name or a transaction may lie before the set; of an LSN that is known beforehand."""
    found = steps(goal_of(text), replace(BACKUP, sets=sets), None)

    assert any("older set of this repository: --set" in each for each in found) == is_named
    assert "--wal" in found[0], "no archive is known"

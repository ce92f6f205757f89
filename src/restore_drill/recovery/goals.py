"""Where a recovery is to end, as users write it, and as PostgreSQL is given it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime

from restore_drill.backups.physical.model import Physical, lsn_of, show_lsn
from restore_drill.core.errors import UsageError
from restore_drill.core.units import show_moment
from restore_drill.recovery.model import CURRENT, HOW, IMMEDIATE, LATEST, LSN, NAME, TIME, XID, Goal
from restore_drill.selection.chosen import AHEAD

EXAMPLES = (
    "latest, immediate, '2026-11-27 23:36:49+01', lsn:0/1E0000B0, xid:787, name:before-release"
)
LOCATION = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
FIRST_XID = 3
"""Those below it are of no transaction."""
LONGEST_NAME = 63
ZONES = {"UTC": "+00:00", "GMT": "+00:00"}


def goal_of(text: str, timeline: str = LATEST) -> Goal:
    """Where `text` says that a recovery ends, on `timeline`; UsageError for what says nothing.

    A time without a zone is one of UTC, as all times that a drill shows: the server's own zone,
    which PostgreSQL would take, stands in its settings, and these are not read.
    """
    line = timeline_of(timeline)
    written = text.strip()
    kind, colon, value = written.partition(":")
    kind, value = kind.strip().lower(), value.strip()
    if written.lower() in (LATEST, IMMEDIATE):
        return Goal(written.lower(), timeline=line)
    if colon and kind in (LSN, XID, NAME):
        return Goal(kind, READERS[kind](value, text), timeline=line)
    when = time_of(value if colon and kind == TIME else written)
    if when is None:
        raise nonsense(text)
    return Goal(TIME, when.astimezone(UTC).isoformat(sep=" "), when, line)


def nonsense(text: str, why: str = "is no target of a recovery") -> UsageError:
    """The error for a target that says nothing."""
    return UsageError(f"--recover-to {text!r} {why}; examples: {EXAMPLES}")


def time_of(text: str) -> datetime | None:
    """Time that `text` is in an ISO form, with its zone; None where it is none."""
    head, blank, zone = text.rpartition(" ")
    named = ZONES.get(zone.upper()) if blank else None
    with suppress(ValueError):
        found = datetime.fromisoformat(f"{head}{named}" if named else text)
        # A time at the very ends of the calendar is of no day in UTC.
        with suppress(OverflowError):
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    return None


def location_of(value: str, text: str) -> str:
    """LSN as PostgreSQL writes it."""
    if not LOCATION.fullmatch(value):
        raise nonsense(text, "names no LSN")
    return show_lsn(lsn_of(value))


def transaction_of(value: str, text: str) -> str:
    """Number of a transaction as it stands in WAL, which knows no epoch."""
    if not (value.isascii() and value.isdigit()) or int(value) >= 1 << 64:
        raise nonsense(text, "names no transaction")
    number = int(value) & 0xFFFFFFFF
    if number < FIRST_XID:
        raise nonsense(text, "names no transaction")
    return str(number)


def name_of(value: str, text: str) -> str:
    """Name of a restore point."""
    if not value or len(value.encode()) > LONGEST_NAME or not value.isprintable():
        raise nonsense(text, f"names no restore point: 1 to {LONGEST_NAME} bytes")
    return value


READERS = {LSN: location_of, XID: transaction_of, NAME: name_of}
assert set(READERS) | {LATEST, IMMEDIATE, TIME} == set(HOW)


def timeline_of(text: str) -> str:
    """Timeline that `text` names."""
    found = text.strip().lower() or LATEST
    if found in (LATEST, CURRENT):
        return found
    if not (found.isascii() and found.isdigit()) or not 0 < int(found) < 1 << 32:
        raise UsageError(f"--timeline {text!r} is no timeline: latest, current or a number like 3")
    return str(int(found))


def check_reachable(physical: Physical, goal: Goal) -> None:
    """UsageError where `goal` lies before the end of the backup, or in the future.

    PostgreSQL itself would recover to a later place, and say nothing: no row would be missing, and
    the ones that were to be undone would be there. The backup is sound; what was asked is not.
    """
    if goal.timeline.isdigit() and int(goal.timeline) < physical.timeline:
        raise UsageError(
            f"--timeline {goal.timeline}: timeline {goal.timeline} was left before this backup,"
            f" which is of timeline {physical.timeline}: take an older backup"
        )
    # Tars do not say when they ended: a target before they began is too early in any case.
    end = physical.stopped_at or physical.started_at
    is_early, shown = False, show_moment(end) if end else ""
    if goal.how == TIME and goal.when and end:
        is_early = goal.when < end
    elif goal.how == LSN and physical.stop_lsn is not None:
        is_early, shown = lsn_of(goal.value) < physical.stop_lsn, show_lsn(physical.stop_lsn)
    if goal.when is not None and (goal.when - datetime.now(UTC)).total_seconds() > AHEAD:
        raise UsageError(f"--recover-to {goal.text} lies in the future: no WAL reaches it yet")
    if is_early:
        raise UsageError(
            f"--recover-to {goal.text} lies before the end of the backup ({shown}), and a recovery "
            "cannot stop before that: name a later target, or an older backup"
            + (" (--set)" if physical.sets else "")
        )


def target_settings(goal: Goal) -> dict[str, str]:
    """Settings by which the server recovers to `goal`."""
    settings = {"recovery_target_timeline": goal.timeline, "recovery_target_action": "promote"}
    if goal.how == IMMEDIATE:
        settings["recovery_target"] = IMMEDIATE
    elif goal.how != LATEST:
        settings[f"recovery_target_{goal.how}"] = goal.value
    return settings

"""A target that a recovery has not reached: what is lacking, where the WAL ends, what to do."""

from __future__ import annotations

from restore_drill.backups.physical.model import Physical, show_lsn
from restore_drill.backups.physical.wal_names import SEGMENT
from restore_drill.core.errors import UNREACHED, BackupFault
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_moment, some
from restore_drill.recovery.evidence import Reading
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.latest import words_of
from restore_drill.recovery.lost import restore_points
from restore_drill.recovery.model import IMMEDIATE, LSN, NAME, TIME, XID, Goal
from restore_drill.recovery.needed import surveyed
from restore_drill.recovery.reasons import Unreached
from restore_drill.recovery.shell import Shell

LOOKED_INTO = 16
"""So many of the last segments are searched for restore points."""
SHOWN = 6


def explained(
    error: Unreached, goal: Goal, physical: Physical, fetcher: Fetcher | None, shell: Shell
) -> BackupFault:
    """What to tell of a recovery that ended before `goal`, by what is known of its WAL."""
    if fetcher is not None and fetcher.holes:
        gap = gap_in(fetcher, physical, goal, fetcher.holes[0])
        where = fetcher.archive.words
        what = f"{where} has a gap: {gap}; recovery ended there, before it reached {goal.text}"
        return BackupFault(what, checked=error.checked, remedy=remedy_for("recovery", "gap"))
    if goal.how == IMMEDIATE or error.reading.consistent_at is None:
        what = "the WAL ends before the end of the backup: it is not whole without the rest"
        return BackupFault(what, checked=error.checked, remedy=remedy_for("recovery", "no_wal"))
    what = f"{UNREACHED}{goal.text}: {lacking(goal, error.reading)}"
    points = points_in(fetcher, shell) if goal.how == NAME else []
    return BackupFault(
        what, checked=[*points, *error.checked], remedy=steps(goal, physical, fetcher)
    )


def gap_in(fetcher: Fetcher, physical: Physical, goal: Goal, name: str) -> str:
    """The gap in the archive around the segment `name`, in words."""
    found = surveyed(physical, fetcher.archive, fetcher.names(), goal.timeline)
    for gap in found.gaps if found else ():
        if gap.first <= name <= gap.last:
            return words_of(gap)
    return f"{name} is missing"


def lacking(goal: Goal, reading: Reading) -> str:
    """What of `goal` is not in the WAL."""
    if goal.how == NAME:
        return "no restore point of that name is in the WAL after the backup"
    if goal.how == XID:
        return "no end of that transaction is in the WAL after the backup"
    if goal.how == TIME and reading.last_at is not None:
        return f"the last transaction in the WAL ended {show_moment(reading.last_at)}"
    if goal.how == LSN and reading.redo_to is not None:
        return f"the last record of the WAL is at {show_lsn(reading.redo_to)}"
    return "no transaction is in the WAL after the backup"


def points_in(fetcher: Fetcher | None, shell: Shell) -> list[str]:
    """Restore points in the last WAL that the server was given, in a line; none without archive."""
    if fetcher is None:
        return []
    given = [each.name for each in fetcher.asked if each.found and SEGMENT.fullmatch(each.name)]
    last = list(dict.fromkeys(given))[-LOOKED_INTO:]
    found = restore_points(fetcher.archive, last, shell.binaries, shell.launcher)
    where = f"the last {show_count(len(last), 'segment')} from the archive"
    named = some(found[::-1], SHOWN) if found else "none"
    return [f"restore points in {where}, the newest first: {named}"] if last else []


def steps(goal: Goal, physical: Physical, fetcher: Fetcher | None) -> list[str]:
    """What to do, by the kind of the target."""
    found = remedy_for("unreached", goal.how)
    if fetcher is None:
        found = remedy_for("unreached", "no_archive") + found
    if physical.sets and goal.how in (NAME, XID):
        found += remedy_for("unreached", "older_set")
    return found

"""Where the recovery of a physical backup would end, by the names of its WAL alone."""

from __future__ import annotations

from collections.abc import Sequence

from restore_drill.backups.model import Backup
from restore_drill.backups.physical.model import Physical, lsn_of, show_lsn
from restore_drill.backups.physical.wal_names import SEGMENT, segment_of
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.doctor.model import Group
from restore_drill.manifest.basis import find_basis
from restore_drill.manifest.point import Point
from restore_drill.recovery.archives.choice import archive_of
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.goals import check_reachable, goal_of
from restore_drill.recovery.holes import Gap, Survey
from restore_drill.recovery.latest import words_of
from restore_drill.recovery.model import IMMEDIATE, LATEST, LSN, Goal
from restore_drill.recovery.needed import check_timeline, surveyed


def name_recovery(backup: Backup, physical: Physical, settings: Settings, group: Group) -> None:
    """Where its WAL lies, and where recovery would end, as far as that is known before one."""
    try:
        goal = goal_of(settings.recovery.to, settings.recovery.timeline)
        check_reachable(physical, goal)
        archive = archive_of(physical, settings.recovery.wal)
        check_timeline(physical, archive, goal.timeline)
        if archive is None:
            name_end_alone(goal, point_of(backup), group)
        elif isinstance(archive, Folder):
            name_folder(physical, archive, goal, group)
        else:
            group.ok(f"its WAL comes from {archive.words}", plan=True)
            name_end(goal, group, is_known=goal.how in (LATEST, IMMEDIATE))
    except UsageError as error:
        group.refuse(str(error))
    except CouldNotRun as error:
        group.error(error)


def point_of(backup: Backup) -> Point | None:
    """The place in the WAL that the manifest beside `backup` has facts of, None where it has none.

    The WAL up to there lies in the backup.
    """
    manifest = find_basis(backup, is_sample=False).read
    return manifest.physical.point if manifest and manifest.physical else None


def name_end_alone(goal: Goal, point: Point | None, group: Group) -> None:
    """Where recovery would end with nothing but the WAL in the backup."""
    if point is not None and goal.how == LATEST:
        group.ok(
            f"recovery would end at {point.recover_to}, where the facts of its manifest were read:"
            " that proves its content (the WAL up to there lies in it)",
            plan=True,
        )
        return
    is_inside = goal.how in (LATEST, IMMEDIATE)
    ends = "with the WAL in it" if is_inside else f"at {goal.text} only if that is in it"
    what = f"no WAL archive is known: recovery would end {ends}"
    group.warn(what, *remedy_for("doctor", "no_archive"))


def name_folder(physical: Physical, archive: Folder, goal: Goal, group: Group) -> None:
    """What the folder holds, what it lacks, and whether `goal` can be in it."""
    names = archive.names()
    segments = [each for each in names if SEGMENT.fullmatch(each)]
    newest = segments[-1] if segments else "none"
    number = show_count(len(segments), "segment")
    group.ok(f"its WAL comes from {archive.words}: {number}, the newest {newest}", plan=True)
    found = surveyed(physical, archive, names, goal.timeline)
    if name_gaps(found.gaps if found else (), physical, archive, goal, group):
        return
    reached = end_in(found, physical)
    if goal.how == LSN and reached is not None and lsn_of(goal.value) > reached:
        text = f"recovery would not reach {goal.text}: the WAL ends at {show_lsn(reached)} at most"
        group.bad(text, *remedy_for("unreached", LSN), stops=False)
        return
    name_end(goal, group, is_known=goal.how in (LATEST, IMMEDIATE, LSN) and found is not None)


def name_gaps(
    gaps: Sequence[Gap], physical: Physical, archive: Folder, goal: Goal, group: Group
) -> bool:
    """Warn of `gaps` in the archive; whether one of them lies before the `goal`, or may do so."""
    end = end_of(goal, physical)
    for gap in gaps:
        is_behind = end is not None and begin_of(gap, physical.segment_size) >= end
        what = "recovery would end before it, and a drill would fail"
        if is_behind:
            what = "what was written behind it could not be recovered"
        text = f"{archive.words} has a gap: {words_of(gap)}; {what}"
        group.warn(text, *remedy_for("recovery", "gap"))
        if not is_behind:
            return True
    return False


def name_end(goal: Goal, group: Group, *, is_known: bool) -> None:
    """Where recovery would end, or that nothing but a recovery shows it."""
    known = {LATEST: "with the newest WAL", IMMEDIATE: "at the end of the backup"}
    ends = known.get(goal.how, f"at {goal.text}")
    if is_known:
        group.ok(f"recovery would end {ends}, timeline {goal.timeline}", plan=True)
    else:
        group.plans(f"recovery is to end {ends}; whether the WAL has that only a recovery shows")


def end_of(goal: Goal, physical: Physical) -> int | None:
    """Where in the WAL `goal` lies, None where only a recovery shows it."""
    if goal.how == LSN:
        return lsn_of(goal.value)
    return physical.stop_lsn if goal.how == IMMEDIATE else None


def begin_of(gap: Gap, size: int) -> int:
    """Where in the WAL `gap` begins."""
    first = segment_of(gap.first, size)
    return first.number * size if first else 0


def end_in(found: Survey | None, physical: Physical) -> int | None:
    """Where the newest segment that recovery gets ends, None where that is not known."""
    newest = segment_of(found.newest, physical.segment_size) if found and found.newest else None
    if newest is not None:
        return (newest.number + 1) * physical.segment_size
    return physical.stop_lsn if found and physical.has_wal else None

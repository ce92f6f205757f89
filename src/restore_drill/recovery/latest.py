"""Whether a recovery to the latest WAL got there: against the newest segment of the archive.

PostgreSQL takes the first segment that is missing or damaged for the end, and is content. So the
proof is that all of the newest segment was read: the server went on to the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from restore_drill.backups.physical.model import show_lsn
from restore_drill.backups.physical.wal_names import (
    PARTIAL,
    Segment,
    segment_name,
    segment_of,
)
from restore_drill.core.units import show_bytes
from restore_drill.recovery.branches import beyond, left_at, unseen, vanished
from restore_drill.recovery.histories import histories_of
from restore_drill.recovery.holes import Gap, Survey, Switch, survey
from restore_drill.recovery.judge import Fault, Known, Verdict
from restore_drill.recovery.model import Archive


def judge_latest(known: Known, archive: Archive, names: Collection[str]) -> Verdict:
    """Judge a recovery to the latest WAL of `archive`, which had these `names` when it began."""
    verdict = Verdict()
    evidence, size = known.evidence, known.before.segment_size
    first = first_segment(known)
    histories, _ = histories_of(archive, names)  # those that are damaged the server has met
    try:
        found = survey(names, first, size, histories, known.goal.timeline)
    except ValueError as error:
        verdict.faults.append((f"{archive.words}: {error}", "timeline"))
        return verdict
    verdict.path = found.path
    if not found.newest:
        what = f"{archive.words} has no WAL for this backup: nothing from"
        begin = known.physical.first_segment or show_lsn(first.number * size)
        verdict.faults.append((f"{what} {begin} on", "archive_empty"))
        return verdict
    newest = segment_of(found.newest, size)
    assert newest is not None and evidence.end_lsn is not None
    verdict.faults += unseen(known, archive, names, histories)
    verdict.faults += vanished(known, archive, found)
    left = left_at(newest.timeline, histories.get(found.path[-1].timeline, ()))
    if left is not None and evidence.end_lsn >= left:
        verdict.faults += beyond(newest.timeline, left, evidence.end_lsn, found.path[-1].timeline)
        return verdict
    is_inside_last = is_unfinished(found.newest, names) and is_inside(known, newest, size)
    if is_inside_last:
        why = "it was unfinished when it was copied, so its end cannot be told from damage"
        verdict.told.append((f"the end of the WAL in {found.newest}{PARTIAL}", why))
    elif not is_read_to_end(known, newest, size):
        verdict.faults += ended_early(known, newest, found)
    wanted, reached = found.path[-1].timeline, evidence.timeline
    if reached != wanted and not found.gaps:
        what = f"recovery ended on timeline {reached}, and the archive leads to {wanted}"
        verdict.faults.append((what, "timeline"))
    return verdict


def gaps_behind(
    known: Known,
    archive: Archive,
    names: Collection[str],
    histories: Mapping[int, Sequence[Switch]],
) -> Iterator[str]:
    """Warn of what is missing behind an earlier goal: a later one cannot be reached over it."""
    size, end = known.before.segment_size, known.evidence.end_lsn or 0
    try:
        found = survey(names, first_segment(known), size, histories, known.goal.timeline)
    except ValueError:
        return  # the server has found its way; a later one is judged where it is asked for
    for gap in found.gaps:
        place = segment_of(gap.last, size)
        if place is not None and place.number >= end // size:
            yield (
                f"{archive.words} has a gap behind the goal of this recovery: {words_of(gap)};"
                " what was written later cannot be recovered from this backup"
            )


def first_segment(known: Known) -> Segment:
    """Segment that recovery began with."""
    physical, size = known.physical, known.before.segment_size
    named = segment_of(physical.first_segment, size) if physical.first_segment else None
    redo = known.evidence.redo_from
    return named or Segment(
        physical.timeline, (known.before.redo if redo is None else redo) // size
    )


def is_read_to_end(known: Known, newest: Segment, size: int) -> bool:
    """Whether the server has read all of the segment `newest`.

    It ends behind it, or has asked for the next one: the last record may go on there.
    """
    end = known.evidence.end_lsn or 0
    if end >= (newest.number + 1) * size:
        return True
    asked = (segment_of(each.name, size) for each in known.evidence.asked if not each.found)
    after = any(each and each.number == newest.number + 1 for each in asked)
    return after and not known.evidence.complaints


def is_unfinished(newest: str, names: Collection[str]) -> bool:
    """Whether the archive has of its `newest` segment only what had come of it."""
    return newest not in names and newest + PARTIAL in names


def is_inside(known: Known, newest: Segment, size: int) -> bool:
    """Whether replay ended inside of the segment `newest`, which the server was given."""
    given = (segment_of(each.name, size) for each in known.evidence.asked if each.found)
    return newest.number * size <= (known.evidence.end_lsn or 0) and newest in given


def ended_early(known: Known, newest: Segment, found: Survey) -> Iterator[Fault]:
    """Fault of a replay that ended before the newest WAL: why, and how much is not in the copy."""
    size, end = known.before.segment_size, known.evidence.end_lsn or 0
    missing = (newest.number + 1) * size - end
    lost = f"up to {show_bytes(missing)} of WAL behind {show_lsn(end)} are not in the copy"
    for gap in found.gaps:
        place = segment_of(gap.last, size)
        if place is not None and place.number >= end // size:
            yield f"the archive has a gap: {words_of(gap)}; {lost}", "gap"
            return
    why = known.evidence.complaints[-1] if known.evidence.complaints else "the server says no more"
    inside = segment_name(known.evidence.timeline or newest.timeline, end, size)
    yield f"the WAL in the archive is damaged in {inside}: {why}; {lost}", "wal_damaged"


def words_of(gap: Gap) -> str:
    """A gap in words."""
    if gap.segments == 1:
        return f"{gap.first} is missing"
    return f"{gap.segments:,} segments are missing, {gap.first} to {gap.last}"

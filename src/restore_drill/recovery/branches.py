"""Timelines of an archive: which one is the newest, and what lies beside the way that was taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from restore_drill.backups.physical.model import show_lsn
from restore_drill.backups.physical.wal_names import SEGMENT, history_of, segment_of
from restore_drill.core.units import show_time
from restore_drill.recovery.holes import Stretch, Survey, Switch
from restore_drill.recovery.judge import Fault, Known
from restore_drill.recovery.model import LATEST, Archive

HEADERS = 40
"""Bytes by which the end of replay may lie behind the last record: headers of a page."""


def left_at(timeline: int, history: Sequence[Switch]) -> int | None:
    """Where `timeline` was left, by the `history` of a later one; None where it was not.

    Just after a promotion the archive has nothing else of the new timeline.
    """
    return next((each.lsn for each in history if each.timeline == timeline), None)


def beyond(timeline: int, left: int, end: int, later: int) -> Iterator[Fault]:
    """Fault of a replay along `timeline` behind the LSN at which the `later` one had `left` it.

    Where the archive has nothing of the later one yet, PostgreSQL goes on along the earlier one.
    """
    if end - left > HEADERS:
        what = (
            f"timeline {later} leaves timeline {timeline} at {show_lsn(left)}, and the archive has"
            f" no WAL of it: recovery went on along timeline {timeline} to {show_lsn(end)}, so the"
            " copy holds what was left behind there"
        )
        yield what, "timeline"


def unseen(
    known: Known,
    archive: Archive,
    names: Collection[str],
    histories: Mapping[int, Sequence[Switch]],
) -> Iterator[Fault]:
    """Faults of timelines whose WAL is there and whose histories are not: no server finds them.

    What was replayed behind the place where such a one begins is of a branch that was left.
    """
    if known.goal.timeline != LATEST:
        return
    size, wanted = known.before.segment_size, known.physical.timeline
    while wanted + 1 in histories:
        wanted += 1
    begun: dict[int, int] = {}
    for name in names:
        found = segment_of(name, size) if SEGMENT.fullmatch(name) else None
        if found is not None and found.timeline > wanted:
            begun[found.timeline] = min(found.number, begun.get(found.timeline, found.number))
    for timeline, number in sorted(begun.items()):
        if known.goal.how == LATEST or (known.evidence.end_lsn or 0) >= number * size:
            lacking = history_of(wanted + 1)
            what = f"{archive.words} has a timeline {timeline}, and {lacking} is not there"
            yield f"{what}, or cannot be read: the server does not find it", "timeline"


def vanished(known: Known, archive: Archive, found: Survey) -> Iterator[Fault]:
    """Fault of an archive that once had newer segments than it has, by what tools wrote down."""
    size = known.before.segment_size
    newest = segment_of(found.newest, size)
    assert newest is not None
    ways = {each.timeline for each in found.path}
    places = {name: segment_of(name, size) for name in archive.witnesses()}
    newer = sorted(
        name
        for name, each in places.items()
        if each and each.number > newest.number and each.timeline in ways
    )
    if newer:
        what = (
            f"the archive ends with {found.newest}, and once had {newer[-1]}: what lies beside it"
            " says so (the history of a base backup, a list of segments)"
        )
        yield what, "gap"


def gone_on(
    known: Known,
    names: Collection[str],
    path: Sequence[Stretch],
    newest_commit: Callable[[int], datetime | None],
) -> Iterator[tuple[str, bool]]:
    """Timelines that were left, and along which a server has gone on; whether it is the newer one.

    It has newer transactions than were recovered: then the later timeline is of a copy, perhaps.
    """
    size = known.before.segment_size
    last = known.evidence.last_in.at if known.evidence.last_in else None
    for each, following in pairwise(path):
        own = (segment_of(name, size) for name in names if SEGMENT.fullmatch(name))
        is_longer = any(
            found and found.timeline == each.timeline and found.number > following.first
            for found in own
        )
        when = newest_commit(each.timeline) if is_longer else None
        if when is not None:
            until = f"the newest that was recovered ended {show_time(last)}" if last else "none was"
            what = (
                f"timeline {following.timeline} leaves timeline {each.timeline}, and a server has"
                f" gone on along that: it has transactions up to {show_time(when)}, {until};"
                f" --timeline {each.timeline} recovers them"
            )
            yield what, last is None or when > last

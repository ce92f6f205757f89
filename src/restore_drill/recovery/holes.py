"""Which WAL a recovery needs, and what of it an archive lacks: by names and histories alone.

PostgreSQL ends a recovery to the latest WAL at the first segment that is missing, and is content.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from restore_drill.backups.physical.model import lsn_of
from restore_drill.backups.physical.wal_names import PARTIAL, Segment, name_of, segment_of
from restore_drill.recovery.model import CURRENT, LATEST

LINE = re.compile(rb"\s*([0-9]{1,10})\s+([0-9A-F]{1,8}/[0-9A-F]{1,8})(?:\s.*)?", re.DOTALL)


class Switch(NamedTuple):
    """Where a timeline was left for the next one: its number, and the LSN in bytes."""

    timeline: int
    lsn: int


class Gap(NamedTuple):
    """Segments that are missing in a row: names of the first and last, and how many."""

    first: str
    last: str
    segments: int


class Stretch(NamedTuple):
    """Segments of a timeline that a recovery needs: numbers from `first` to `last`, if it ends."""

    timeline: int
    first: int
    last: int | None


class Survey(NamedTuple):
    """What an archive holds for a recovery along the timelines of `path`.

    `gaps` are missing before its `newest` segment, which is empty where it has none of them;
    `histories` are the timelines that the server does not find, because this one is missing.
    """

    path: tuple[Stretch, ...]
    gaps: tuple[Gap, ...]
    newest: str
    histories: tuple[int, ...] = ()


def switches_in(text: bytes, timeline: int) -> list[Switch]:
    """Timelines before `timeline`, by its history; ValueError where that is none."""
    found: list[Switch] = []
    for line in text.split(b"\n"):
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        parts = LINE.fullmatch(line)
        if parts is None:
            raise ValueError("a line of it names no timeline and LSN")
        found.append(Switch(int(parts[1]), lsn_of(parts[2].decode())))
    numbers = [each.timeline for each in found] + [timeline]
    if any(one >= other for one, other in pairwise(numbers)):
        raise ValueError("its timelines are not in order")
    if not found:
        raise ValueError("it names no timeline")
    return found


def why_no_history(text: bytes, name: str) -> str:
    """Why `text` is not the history `name`; empty where it is."""
    try:
        switches_in(text, int(name[:8], 16))
    except ValueError as error:
        return str(error)
    return ""


def newest_timeline(start: int, histories: Iterable[int]) -> tuple[int, tuple[int, ...]]:
    """Timeline that `latest` leads to, as the server looks for it, and those that it misses.

    It asks for one history after the other, and ends at the first that is not there.
    """
    known = set(histories)
    newest = start
    while newest + 1 in known:
        newest += 1
    return newest, tuple(sorted(each for each in known if each > newest))


def path_to(
    timeline: int, first: Segment, size: int, histories: Mapping[int, Sequence[Switch]]
) -> tuple[Stretch, ...]:
    """Stretches from the segment `first` to the end of `timeline`.

    ValueError where `timeline` does not come from that of `first`, at this place.
    """
    switches = histories[timeline] if timeline != first.timeline else ()
    ahead = [each for each in switches if each.timeline >= first.timeline]
    if timeline != first.timeline and (not ahead or ahead[0].timeline != first.timeline):
        raise ValueError(f"timeline {timeline} does not come from timeline {first.timeline}")
    if ahead and ahead[0].lsn < first.number * size:
        raise ValueError(f"timeline {timeline} was begun before the backup")
    path, begin = [], first.number
    for each in ahead:
        next_begin = each.lsn // size
        if next_begin > begin:
            path.append(Stretch(each.timeline, begin, next_begin - 1))
        begin = next_begin
    return (*path, Stretch(timeline, begin, None))


def survey(
    names: Iterable[str],
    first: Segment,
    size: int,
    histories: Mapping[int, Sequence[Switch]],
    timeline: str = LATEST,
) -> Survey:
    """What `names` hold for a recovery from the segment `first` along `timeline`.

    `histories` are those of the archive, `size` the bytes of a segment; `timeline` is `latest`,
    `current` or a number. ValueError where there is no such way.
    """
    target, missed = (
        newest_timeline(first.timeline, histories) if timeline == LATEST else (first.timeline, ())
    )
    if timeline not in (LATEST, CURRENT):
        target = int(timeline)
    if target != first.timeline and target not in histories:
        raise ValueError(f"the archive has no history of timeline {target}")
    path = path_to(target, first, size, histories)
    there = numbers_in(names, size)
    gaps: list[Gap] = []
    newest = ""
    for each in reversed(path):
        numbers = there.get(each.timeline, [])
        numbers = numbers[bisect_left(numbers, each.first) :]
        last = each.last if newest else None
        if last is not None:
            numbers = numbers[: bisect_left(numbers, last + 1)]
        if not numbers and last is None:
            continue
        if not newest:
            newest = name_of(Segment(each.timeline, numbers[-1]), size)
        gaps[:0] = gaps_between(each, numbers, last, size)
    return Survey(path, tuple(gaps), newest, missed)


def numbers_in(names: Iterable[str], size: int) -> dict[int, list[int]]:
    """Numbers of the segments in `names`, in order, by timeline; a .partial counts at its end."""
    found: dict[int, set[int]] = {}
    unfinished: list[Segment] = []
    for name in names:
        segment = segment_of(name, size)
        if segment is None:
            continue
        if name.endswith(PARTIAL):
            unfinished.append(segment)
        else:
            found.setdefault(segment.timeline, set()).add(segment.number)
    newest = max((each for numbers in found.values() for each in numbers), default=-1)
    for segment in unfinished:
        if segment.number > newest:
            found.setdefault(segment.timeline, set()).add(segment.number)
    return {each: sorted(numbers) for each, numbers in found.items()}


def gaps_between(
    stretch: Stretch, numbers: Sequence[int], last: int | None, size: int
) -> list[Gap]:
    """What is missing of `stretch` between `numbers`, up to `last`, or to the last of them."""
    gaps, wanted = [], stretch.first
    ends = [*numbers] if last is None else [*numbers, last + 1]
    for number in ends:
        if number > wanted:
            names = [
                name_of(Segment(stretch.timeline, each), size) for each in (wanted, number - 1)
            ]
            gaps.append(Gap(names[0], names[1], number - wanted))
        wanted = number + 1
    return gaps

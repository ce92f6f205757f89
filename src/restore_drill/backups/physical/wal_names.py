"""Names of WAL files: a segment's says its timeline and place, a history's its timeline.

The number of a segment counts all of them from the first on, across the two halves of its name; how
many a half holds depends on their size.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

SEGMENT = re.compile(r"[0-9A-F]{24}")
HISTORY = re.compile(r"[0-9A-F]{8}\.history")
SUFFIXES = ("", ".gz", ".zst", ".lz4", ".bz2", ".xz")
"""Of files in a folder, by which a name is found; what they hold is told by their content."""
PARTIAL = ".partial"
KEPT = re.compile(
    r"(?P<name>[0-9A-F]{24}|[0-9A-F]{8}\.history)(?P<first>\.partial)?"
    r"(?:\.(?:gz|zst|lz4|bz2|xz))?(?P<last>\.partial)?"
)
"""A file of an archive; pg_receivewal writes NAME.gz.partial, others NAME.partial.gz."""
WITNESS = re.compile(r"([0-9A-F]{24})\.[0-9A-F]{8}\.backup(?:\.[a-z0-9]{1,5})?")
"""The history of a base backup: it is archived behind the segment that the backup began in."""
XLOG = 1 << 32
"""Bytes of WAL that share the middle part of their segments' names."""


class Segment(NamedTuple):
    """Timeline of a segment, and its number: where it begins, divided by the size of segments."""

    timeline: int
    number: int


def is_served(name: str) -> bool:
    """Whether a server may ask for `name`: a segment or the history of a timeline."""
    return bool(SEGMENT.fullmatch(name) or HISTORY.fullmatch(name))


def name_in(file: str) -> str:
    """Name of the WAL file that `file` holds, empty where it holds none."""
    found = KEPT.fullmatch(file)
    if found is None or (found["first"] and found["last"]):
        return ""
    return found["name"] + (PARTIAL if found["first"] or found["last"] else "")


def segment_of(name: str, size: int) -> Segment | None:
    """The segment that `name` names, with .partial or without.

    None where it is no segment's, or not of one that has `size` bytes.
    """
    if not SEGMENT.fullmatch(name.removesuffix(PARTIAL)):
        return None
    timeline, high, low = (int(name[at : at + 8], 16) for at in (0, 8, 16))
    each = XLOG // size
    return Segment(timeline, high * each + low) if low < each else None


def name_of(segment: Segment, size: int) -> str:
    """Name of `segment`, where segments have `size` bytes."""
    high, low = divmod(segment.number, XLOG // size)
    return f"{segment.timeline:08X}{high:08X}{low:08X}"


def segment_name(timeline: int, lsn: int, size: int) -> str:
    """Name of the segment of `timeline` that holds the byte at `lsn`."""
    return name_of(Segment(timeline, lsn // size), size)


def size_by_name(name: str, lsn: int) -> int | None:
    """Bytes of a segment where the one called `name` holds `lsn`; None where several would do."""
    powers = (1 << power for power in range(20, 31))
    fitting = [size for size in powers if segment_name(int(name[:8], 16), lsn, size) == name]
    return fitting[0] if len(fitting) == 1 else None


def history_of(timeline: int) -> str:
    """Name of the history of `timeline`."""
    return f"{timeline:08X}.history"


def has_newer(names: Iterable[str], name: str) -> bool:
    """Whether `names` have a newer segment of the timeline of the segment `name`."""
    return any(SEGMENT.fullmatch(each) and each[:8] == name[:8] and each > name for each in names)


def is_last(name: str, names: Collection[str]) -> bool:
    """Whether no segment of `names` goes on where `name` ends, or is at its place.

    What is left unfinished there is then its newest WAL; else it is what a promotion has cut off.
    """
    same = any(SEGMENT.fullmatch(each) and each[8:] == name[8:] for each in names)
    return not same and not has_newer(names, name)

"""What a backup_manifest says in its first and last lines, without its list of files."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.model import lsn_of

MANIFEST = "backup_manifest"
HEAD, TAIL = 1 << 12, 1 << 16
PIECE = 1 << 22
SYSTEM = re.compile(rb'"System-Identifier": *(\d{1,20})')
RANGES = re.compile(rb'"WAL-Ranges": *\[([^\]]*+)\]')
RANGE = re.compile(
    rb'"Timeline": *(\d{1,10}), *'
    rb'"Start-LSN": *"([0-9A-F]{1,8}/[0-9A-F]{1,8})", *"End-LSN": *"([0-9A-F]{1,8}/[0-9A-F]{1,8})"'
)
CONTROL_TIME = re.compile(
    rb'"global/pg_control"[^{}]*"Last-Modified": *"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT"'
)
FILE_SIZE = re.compile(rb'"Size": *(\d{1,19})')


class Range(NamedTuple):
    """WAL that a backup needs, of one timeline."""

    timeline: int
    start: int
    end: int


class Manifest(NamedTuple):
    """A manifest's ends: `system` is empty before PostgreSQL 17, `ranges` where it is cut.

    `began` is when pg_control was written: at the checkpoint that begins the backup, or a later.
    """

    system: str = ""
    ranges: tuple[Range, ...] = ()
    began: float | None = None

    @property
    def stop_lsn(self) -> int | None:
        """Where the backup is consistent."""
        return max((each.end for each in self.ranges), default=None)

    @property
    def start_lsn(self) -> int | None:
        """Where it begins."""
        return min((each.start for each in self.ranges), default=None)


def manifest_at(path: Path) -> Manifest:
    """What the manifest at `path` says of the whole; OSError where it cannot be read."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL))
        tail = file.read(TAIL)
    system, ranges, began = SYSTEM.search(head), RANGES.search(tail), CONTROL_TIME.search(tail)
    return Manifest(
        system=system[1].decode() if system else "",
        ranges=tuple(ranges_of(ranges[1])) if ranges else (),
        began=seconds_of(began[1].decode()) if began else None,
    )


def seconds_of(text: str) -> float | None:
    """Seconds from 1970 to the time in UTC that `text` is; None for none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def ranges_of(data: bytes) -> list[Range]:
    """The ranges in the bytes of `WAL-Ranges`."""
    return [
        Range(int(timeline), lsn_of(start.decode()), lsn_of(end.decode()))
        for timeline, start, end in RANGE.findall(data)
    ]


def sizes_in(path: Path) -> int:
    """Bytes of all files that the manifest at `path` lists."""
    total, rest = 0, b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            whole, _, rest = (rest + piece).rpartition(b"\n")
            rest = rest[-TAIL:]  # of a line without an end no more is kept
            total += sum(map(int, FILE_SIZE.findall(whole)))
    return total + sum(map(int, FILE_SIZE.findall(rest)))

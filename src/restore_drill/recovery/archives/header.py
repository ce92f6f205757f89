"""The first bytes of a WAL segment: whose it is, where in the WAL it belongs, how long it must be.

PostgreSQL takes a segment with another's content, or of another cluster, for the end of the WAL.
What is read here is what it compares too, before it is given to it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.wal_header import LEAST, LONG, MAGIC, Header, header_of
from restore_drill.backups.physical.wal_names import Segment, name_of, segment_of
from restore_drill.core.units import show_bytes

FOREIGN = "it is of another cluster"
"""What is wrong with a segment that another server has archived."""


class Expected(NamedTuple):
    """What all segments of a recovery share; empty or 0 where it is not known."""

    system: str = ""
    size: int = 0
    major: int = 0


def read_header(path: Path) -> Header | None:
    """The header of the plain segment at `path`."""
    with path.open("rb", buffering=0) as file:
        return header_of(file.read(LONG.size))


def why_wrong(path: Path, name: str, expected: Expected) -> str:
    """Why the file at `path` is not the segment `name` that is expected; empty where it is."""
    length = path.stat().st_size
    header = read_header(path)
    if header is None:
        return "it is empty" if not length else f"it holds no WAL ({length:,} bytes)"
    if length != header.size:
        return f"it has {length:,} bytes of {header.size:,}"
    return why_foreign(header, expected) or why_another(header, segment_of(name, header.size))


def why_foreign(header: Header, expected: Expected) -> str:
    """Why a segment with this header is of another cluster; empty where it is not."""
    if expected.system and header.system != expected.system:
        return f"{FOREIGN}: system identifier {header.system}"
    if expected.size and header.size != expected.size:
        return f"it is of another cluster: segments of {show_bytes(header.size)}"
    magic = MAGIC.get(expected.major)
    if magic is not None and header.magic != magic:
        writer = f"PostgreSQL {header.major}" if header.major else "another version"
        return f"it was written by {writer}"
    return ""


def why_another(header: Header, named: Segment | None) -> str:
    """Why a segment with this header is not the one that is named so; empty where it is.

    The first of a timeline begins with pages of the one that it comes from.
    """
    if named is None:
        return "no segment of its size has this name"
    if header.address != named.number * header.size or header.timeline > named.timeline:
        held = Segment(header.timeline, header.address // header.size)
        return f"it holds the WAL of another segment, {name_of(held, header.size)}"
    return ""


def is_short(path: Path) -> bool:
    """Whether the segment at `path` has fewer bytes than it says, or too few to say it."""
    header = read_header(path)
    return path.stat().st_size < (header.size if header else LEAST)


def pad(path: Path) -> None:
    """Fill the segment at `path`, which is not finished, with zeros, as PostgreSQL does."""
    header = read_header(path)
    if header and path.stat().st_size < header.size:
        os.truncate(path, header.size)

"""The first bytes of a WAL segment, which are laid out alike in all versions."""

from __future__ import annotations

import struct
from typing import NamedTuple

LAYOUT = "HHIQI4xQII"
LONG = struct.Struct(f"={LAYOUT}")
"""XLogLongPageHeaderData, in the order of bytes of this machine, where the server is to run."""
HAS_LONG = 2
"""Bit of a page that it begins a segment."""
MAGIC = {
    12: 0xD101, 13: 0xD106, 14: 0xD10D, 15: 0xD110, 16: 0xD113, 17: 0xD116, 18: 0xD118,
}  # fmt: skip
"""What each page of WAL begins with, by the server's major."""
LEAST, MOST = 1 << 20, 1 << 30
"""Sizes that segments may have."""


class Header(NamedTuple):
    """Start of a segment: version of its format, timeline, address in bytes, cluster, its size."""

    magic: int
    flags: int
    timeline: int
    address: int
    rest: int
    identifier: int
    size: int
    page: int

    @property
    def is_whole(self) -> bool:
        """Whether it can be the start of a segment."""
        sizes = LEAST <= self.size <= MOST and not self.size & (self.size - 1)
        return self.magic >> 8 == MAGIC[14] >> 8 and bool(self.flags & HAS_LONG) and sizes

    @property
    def system(self) -> str:
        """System identifier of its cluster."""
        return str(self.identifier)

    @property
    def major(self) -> int:
        """Major version of its server, 0 where that is unknown."""
        return next((each for each, magic in MAGIC.items() if magic == self.magic), 0)


def header_of(start: bytes, orders: str = "=") -> Header | None:
    """The header that `start` begins with in one of these byte orders, None for none."""
    if len(start) < LONG.size:
        return None
    found = (Header(*struct.unpack_from(order + LAYOUT, start)) for order in orders)
    return next((each for each in found if each.is_whole), None)


def any_header_of(start: bytes) -> Header | None:
    """The same of a server of any machine, where it can lie at its address."""
    found = header_of(start, "<>")
    return found if found and not found.address % found.size else None

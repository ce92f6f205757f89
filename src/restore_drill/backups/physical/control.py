"""The first bytes of pg_control and of a WAL segment, which are the same in all versions."""

from __future__ import annotations

import struct
from typing import NamedTuple

CONTROL = "global/pg_control"
ENOUGH = 56
"""Bytes of pg_control up to the timeline of its checkpoint."""
LAYOUT = "QIIi4xqQQI"
SHUT_DOWN = (1, 2)
"""States of a server that was shut down, the second one of a standby."""
RUNNING = range(7)
PAGE = "HHIQI4xQII"
MAGIC = {
    0xD101: 12, 0xD106: 13, 0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18,
}  # fmt: skip
"""Major version by what its WAL begins with."""
HAS_LONG_HEADER = 2
SMALLEST, LARGEST = 1 << 20, 1 << 30
"""Bytes of WAL segments."""


class Control(NamedTuple):
    """The front of pg_control: `redo` is where its checkpoint begins."""

    system: str
    state: int
    checkpoint: int
    redo: int
    timeline: int
    written: int

    @property
    def is_shut_down(self) -> bool:
        """Whether the server was shut down in order."""
        return self.state in SHUT_DOWN


def control_of(data: bytes) -> Control | None:
    """What the bytes of a pg_control say; None where they are none."""
    if len(data) < ENOUGH:
        return None
    for order in "<>":
        system, version, _, state, written, checkpoint, redo, timeline = struct.unpack_from(
            order + LAYOUT, data
        )
        if 900 <= version <= 9900 and state in RUNNING and system:
            return Control(str(system), state, checkpoint, redo, timeline, written)
    return None


class Segment(NamedTuple):
    """What the first page of a WAL segment says; `major` is 0 where its version is unknown."""

    major: int
    system: str
    size: int
    timeline: int
    start: int


def segment_of(data: bytes) -> Segment | None:
    """What the first bytes of a WAL segment say; None where they are of none."""
    if len(data) < struct.calcsize("<" + PAGE):
        return None
    for order in "<>":
        magic, info, timeline, start, _, system, size, _ = struct.unpack_from(order + PAGE, data)
        is_size = SMALLEST <= size <= LARGEST and not size & (size - 1)
        if magic >> 8 == 0xD1 and info & HAS_LONG_HEADER and is_size and not start % size:
            return Segment(MAGIC.get(magic, 0), str(system), size, timeline, start)
    return None


def segment_name(timeline: int, lsn: int, size: int) -> str:
    """Name of the segment that holds the byte at `lsn`."""
    number, per_file = lsn // size, (1 << 32) // size
    return f"{timeline:08X}{number // per_file:08X}{number % per_file:08X}"


def size_by_name(name: str, lsn: int) -> int | None:
    """Bytes of a segment where the one called `name` holds `lsn`; None where several would do."""
    powers = (1 << power for power in range(20, 31))
    fitting = [size for size in powers if segment_name(int(name[:8], 16), lsn, size) == name]
    return fitting[0] if len(fitting) == 1 else None

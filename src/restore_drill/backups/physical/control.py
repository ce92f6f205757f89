"""The first bytes of pg_control, which are the same in all versions."""

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

"""Bytes in order, of which several pieces are fetched at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial

from restore_drill.places.waiting import begun, result_of

FIRST = 1 << 18
"""Bytes of the first piece: enough to know what it is."""
PIECE = 4 << 20
AT_ONCE = 4


def in_pieces(size: int, read: Callable[[int, int], bytes]) -> Iterator[bytes]:
    """`size` bytes, which `read` gives from a begin up to an end; AT_ONCE pieces are in memory."""
    coming: deque[Future[bytes]] = deque()
    for start, stop in ranges_of(size):
        coming.append(begun(partial(read, start, stop)))
        if len(coming) == AT_ONCE or start == 0:
            yield result_of(coming.popleft())
    while coming:
        yield result_of(coming.popleft())


def ranges_of(size: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each piece of `size` bytes."""
    start, stop = 0, min(FIRST, size)
    while start < size:
        yield start, stop
        start, stop = stop, min(stop + PIECE, size)

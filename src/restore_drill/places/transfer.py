"""An object's bytes in order, several pieces at once; a piece that is cut is fetched anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from restore_drill.places.store import Object, Store

FIRST = 1 << 18
"""Bytes of the first piece: enough to know what it is."""
PIECE = 4 << 20
AT_ONCE = 4


def pieces_of(store: Store, what: Object) -> Iterator[bytes]:
    """Bytes of `what`; at most AT_ONCE pieces are in memory. CouldNotRun where they do not come."""
    ranges = ranges_of(what.size)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="transfer") as pool:
        coming: deque[Future[bytes]] = deque()
        try:
            for start, stop in ranges:
                coming.append(pool.submit(store.read, what, start, stop))
                if len(coming) == AT_ONCE or start == 0:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for each in coming:
                each.cancel()


def ranges_of(size: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each piece of `size` bytes."""
    start, stop = 0, min(FIRST, size)
    while start < size:
        yield start, stop
        start, stop = stop, min(stop + PIECE, size)

"""Pieces made in one thread, and taken by a library in another one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Any, Self

from restore_drill.places.waiting import POLL_SECONDS, result_of, settle

AHEAD = 4
"""Pieces that wait for the other thread."""
PATIENCE = 5.0
"""Seconds for what is given up to clean up at the other end."""


class GivenUp(Exception):
    """There will be no more pieces, and those that there were are not the whole."""


class Feed:
    """Gives pieces to `take`, a function that iterates over it in a thread of its own.

    A context, at whose end `take` has taken them all; what it raised is raised there, or by `give`.
    Where the context ends by an exception, the iterator raises GivenUp: it never just ends.
    """

    def __init__(self, take: Callable[[Feed], Any]) -> None:
        """Nothing runs yet."""
        self.take = take
        self.pieces: Queue[bytes | None] = Queue(AHEAD)
        self.is_given_up = threading.Event()
        self.taken: Future[Any] = Future()
        self.thread = threading.Thread(
            target=settle, args=(self.taken, lambda: self.take(self)), name="feed", daemon=True
        )

    def __enter__(self) -> Self:
        """Begin to take."""
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Wait until all is taken, or end the taking where something was raised."""
        try:
            if kind is None:
                self.give(None)
                result_of(self.taken)
        finally:
            self.is_given_up.set()
            self.thread.join(PATIENCE)

    def give(self, piece: bytes | None) -> None:
        """Hand `piece` over, None at the end; raises what the other thread raised."""
        while True:
            if self.taken.done():
                self.taken.result()
                return None
            try:
                return self.pieces.put(piece, timeout=POLL_SECONDS)
            except Full:
                continue

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, in the thread that takes them."""
        while True:
            try:
                piece = self.pieces.get(timeout=POLL_SECONDS)
            except Empty:
                piece = b""
            if self.is_given_up.is_set():
                raise GivenUp
            if piece is None:
                return
            if piece:
                yield piece

"""Waiting for an answer, which an interrupt ends."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Generic, TypeVar

POLL_SECONDS = 0.1
K = TypeVar("K")
S = TypeVar("S")
T = TypeVar("T")


def interruptible(ask: Callable[[], T]) -> T:
    """What `ask` gives; in the main thread a signal ends the wait for it, within moments.

    The libraries of places wait where no signal is seen.
    """
    if threading.current_thread() is not threading.main_thread():
        return ask()
    return result_of(begun(ask))


def begun(ask: Callable[[], T]) -> Future[T]:
    """What `ask` is going to give, in a thread that keeps no process from its end.

    That of a pool would: an interrupted drill waited minutes for a server that was silent.
    """
    coming: Future[T] = Future()
    threading.Thread(target=settle, args=(coming, ask), daemon=True).start()
    return coming


def settle(coming: Future[T], ask: Callable[[], T]) -> None:
    """Let `coming` have what `ask` gives, or raises."""
    try:
        coming.set_result(ask())
    except BaseException as error:  # noqa: BLE001 - who waits raises it
        coming.set_exception(error)


class Once(Generic[K, T]):
    """What is asked for by its key: once, by whoever comes first, for whom all others wait."""

    def __init__(self) -> None:
        """Nothing was asked."""
        self.coming: dict[K, Future[T]] = {}
        self.lock = threading.Lock()

    def of(self, key: K, ask: Callable[[], T]) -> T:
        """What `ask` gives for `key`, or raises."""
        with self.lock:
            is_first = key not in self.coming
            coming = self.coming.setdefault(key, Future())
        if is_first:
            settle(coming, ask)
        return coming.result()


def result_of(coming: Future[T]) -> T:
    """The result of `coming`; a lock that is waited for without end is not interrupted."""
    while True:
        try:
            return coming.result(POLL_SECONDS)
        except TimeoutError:
            if coming.done():
                return coming.result()


def each_at_once(ask: Callable[[S], T], items: Sequence[S], at_once: int) -> list[T]:
    """What `ask` gives for each of `items`, in their order; `at_once` of them are asked at a time.

    The first error is raised, and an interrupt ends the wait, as above.
    """
    left = deque(range(len(items)))
    coming: list[Future[T]] = [Future() for _ in items]

    def work() -> None:
        while left:
            try:
                number = left.popleft()
            except IndexError:
                return
            settle(coming[number], partial(ask, items[number]))

    for _ in range(min(at_once, len(items))):
        threading.Thread(target=work, daemon=True).start()
    try:
        return [result_of(each) for each in coming]
    finally:
        left.clear()

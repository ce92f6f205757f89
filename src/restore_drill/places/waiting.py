"""Waiting for an answer, which an interrupt ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

POLL_SECONDS = 0.1
T = TypeVar("T")


def interruptible(ask: Callable[[], T]) -> T:
    """What `ask` gives; in the main thread a signal ends the wait for it, within moments.

    The libraries of places wait where no signal is seen. What is waited for no longer goes on in a
    thread that keeps no process from its end.
    """
    if threading.current_thread() is not threading.main_thread():
        return ask()
    coming: Future[T] = Future()
    threading.Thread(target=settle, args=(coming, ask), daemon=True).start()
    return result_of(coming)


def settle(coming: Future[T], ask: Callable[[], T]) -> None:
    """Let `coming` have what `ask` gives, or raises."""
    try:
        coming.set_result(ask())
    except BaseException as error:  # noqa: BLE001 - who waits raises it
        coming.set_exception(error)


def result_of(coming: Future[T]) -> T:
    """The result of `coming`; a lock that is waited for without end is not interrupted."""
    while True:
        try:
            return coming.result(POLL_SECONDS)
        except TimeoutError:
            if coming.done():
                return coming.result()

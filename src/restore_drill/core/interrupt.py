"""Ctrl-C, SIGTERM and SIGHUP end a drill once, so that its fixtures clean up undisturbed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 5.0
"""Seconds after the first signal in which Ctrl-C interrupts no cleaning up; a kill always does."""
WAIT = b"\nthe drill is cleaning up: wait a few seconds\n"
ENDED_BY = "ended by "
"""Begins the reason of an end by another signal than Ctrl-C."""
AGAIN = 0.1
"""Seconds until a signal that was lost is sent once more."""
first: list[float] = []
"""When the first signal came, by the monotonic clock; empty before it."""
at_end: list[bool] = []
"""Not empty once the drill has nothing to do any more but to clean up, and to report."""


def note_interrupt() -> None:
    """Remember that a signal is ending the drill."""
    first.append(time.monotonic())


def interrupt(number: int, _frame: FrameType | None) -> None:
    """End the run in an orderly way; of further signals only a late Ctrl-C counts.

    Once the drill is at its end anyway, the first one counts as a further one: it would interrupt
    the very cleaning up that it asks for.
    """
    is_key = number == signal.SIGINT
    if at_end and not first:
        note_interrupt()
    elif not first or (is_key and time.monotonic() - first[0] > PATIENCE):
        note_interrupt()
        raise KeyboardInterrupt(*([] if is_key else [f"{ENDED_BY}{signal.Signals(number).name}"]))
    if is_key:
        with suppress(OSError):
            os.write(2, WAIT)


def again_when_lost() -> Callable[[], None]:
    """Send a signal once more where Python has dropped it; the function that is given ends this.

    Python ignores what is raised inside of what a fork, a finaliser or its collector calls: a drill
    that met Ctrl-C there went on as if nothing had been.
    """
    before, process = sys.unraisablehook, os.getpid()

    def look(lost: sys.UnraisableHookArgs) -> None:
        if not (first and lost.exc_type is KeyboardInterrupt and os.getpid() == process):
            before(lost)
            return
        first.clear()
        name = str(lost.exc_value or "").removeprefix(ENDED_BY) or signal.SIGINT.name
        again = threading.Timer(AGAIN, os.kill, (process, signal.Signals[name]))
        again.daemon = True
        again.start()

    def end() -> None:
        sys.unraisablehook = before

    sys.unraisablehook = look
    return end


def note_end() -> None:
    """From now on the drill only cleans up, and reports."""
    at_end.append(True)


def take_over() -> dict[signal.Signals, Any]:
    """Take the signals over, and give their handlers; one that nohup ignores stays ignored."""
    first.clear()
    at_end.clear()
    asked = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    return {each: signal.signal(each, interrupt) for each in asked}


@contextmanager
def handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have `handler` called by all of SIGNALS, but for those that nohup ignores."""
    is_main = threading.current_thread() is threading.main_thread()
    asked = [each for each in SIGNALS if is_main and signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, handler) for each in asked}
    try:
        yield
    finally:
        for each, own in before.items():
            signal.signal(each, own)


def ended_as_by_a_key() -> AbstractContextManager[None]:
    """Let a kill end what is inside as Ctrl-C does, and not the process: its code is known."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    return handled(end)


def drop_unknown_lines(traceback: TracebackType | None) -> None:
    """Take out of `traceback`, in place, the entries below its first that have no line.

    A signal between two lines leaves one (CPython 3.11, seen in selectors.py), and pytest breaks
    when it shows such an entry: the interrupted drill ended with exit code 1.
    """
    while traceback is not None:
        below = traceback.tb_next
        while below is not None and below.tb_lineno is None:
            below = below.tb_next
        traceback.tb_next = below
        traceback = below

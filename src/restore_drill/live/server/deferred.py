"""Signals while a live database has no verdict: one ends the drill, further ones wait.

A second Ctrl-C would interrupt the rollback that the first one has begun.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Self, TypeVar

from restore_drill.core.interrupt import SIGNALS, at_end, note_interrupt

T = TypeVar("T")
WAIT = b"\nthe live database is being brought to a safe state: please wait\n"


class DeferredSignals:
    """Takes Ctrl-C, SIGTERM and SIGHUP over; those that are ignored stay so.

    The first one interrupts, unless it comes after `hold_back`, or at the end of the drill: there
    it would interrupt the cleaning up, which brings the database to a safe state too.
    """

    def __init__(self) -> None:
        """Nothing is taken over yet."""
        self.before: dict[signal.Signals, Any] = {}
        self.is_held_back = self.is_interruptible = False

    def __enter__(self) -> Self:
        """Take them over; only the main thread can."""
        if threading.current_thread() is threading.main_thread():
            for each in SIGNALS:
                if signal.getsignal(each) is not signal.SIG_IGN:
                    self.before[each] = signal.signal(each, self.handle)
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for each, handler in self.before.items():
            signal.signal(each, handler)

    def hold_back(self) -> None:
        """From now on let nothing interrupt."""
        self.is_held_back = True

    def interruptible(self, do: Callable[[], T]) -> T:
        """Give what `do` returns, which the first signal interrupts at the end of the drill too."""
        self.is_interruptible = True
        try:
            return do()
        finally:
            self.is_interruptible = False

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Interrupt once; afterwards only say that it takes a moment."""
        if self.is_held_back or (at_end and not self.is_interruptible):
            note_interrupt()
            with suppress(OSError):
                os.write(2, WAIT)
            return
        self.hold_back()
        note_interrupt()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")

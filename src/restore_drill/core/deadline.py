"""How long a drill and its stages may take, and what was at work when one of them took longer.

The end is a signal of the timer, which interrupts the main thread wherever it waits, as Ctrl-C
does: so whatever can be interrupted has a limit too.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import EXIT_COULD_NOT_RUN, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration

AGAIN = 30.0
"""Seconds for what is interrupted to clean up, before it is interrupted once more."""
INTERRUPTS = 3
"""So often is what has reached a limit interrupted; code that catches all of them is ended."""
SHORT = 0.001
"""Seconds of a timer that is to end at once; none would switch it off."""
MOST = 5
"""So many of the things at work are named."""

Describe = Callable[[], str]

last_words: list[Callable[[str], None]] = []
"""Called with the reason where a limit ends the process; each takes seconds at most."""
working: dict[int, tuple[float, Describe]] = {}
"""By thread what it waits for: since when, and a function that names it."""


class TookTooLong(CouldNotRun):
    """A limit was reached: nobody knows what would have come of it."""


@contextmanager
def at_work(describe: Describe) -> Iterator[None]:
    """Let what runs inside be named by `describe` where a limit ends it; it must show no data."""
    thread = threading.get_ident()
    before = working.get(thread)
    working[thread] = (time.monotonic(), describe)
    try:
        yield
    finally:
        if before is None:
            working.pop(thread, None)
        else:
            working[thread] = before


def work_in_hand() -> list[str]:
    """What all threads are at, the oldest first: `line 12: SELECT pg_sleep ..., for 3.00 s`."""
    now = time.monotonic()
    lines = []
    at_hand = working.copy().values()  # other threads begin and end work meanwhile
    for began, describe in sorted(at_hand, key=lambda each: each[0])[:MOST]:
        with suppress(Exception):
            lines.append(f"{describe()}, for {show_duration(now - began)}")
    return lines


@dataclass
class Limit:
    """One limit that runs: of `what`, of so many `seconds` since it began."""

    what: str
    seconds: float
    cause: str
    until: float = field(init=False)
    interrupts: int = 0
    error: TookTooLong | None = None

    def __post_init__(self) -> None:
        """Begin."""
        self.until = time.monotonic() + self.seconds

    @property
    def is_reached(self) -> bool:
        """Whether it took longer."""
        return time.monotonic() >= self.until

    def error_when_reached(self) -> TookTooLong:
        """The error for it: one and the same, however often it is asked for."""
        if self.error is None:
            self.error = TookTooLong(
                f"{self.what} took longer than {show_duration(self.seconds)} and was stopped",
                checked=[f"running at that time: {line}" for line in work_in_hand()],
                remedy=remedy_for("drill", self.cause),
            )
        return self.error


class Deadline:
    """The limits of one drill: of the whole of it (`overall`, seconds), or of each stage by name.

    `limit_of` gives the seconds of a stage, None for one that nothing may end.
    """

    def __init__(self, overall: float | None, limit_of: Callable[[str], float | None]) -> None:
        """Begin to count."""
        self.limits: list[Limit] = []
        self.limit_of = limit_of
        self.is_watching = False
        if overall is not None:
            self.limits.append(Limit("the drill", overall, "too_long"))
            self.limit_of = lambda _: None

    @contextmanager
    def stage(self, name: str, what: str) -> Iterator[None]:
        """Limit what runs inside, `what` it is in words, by the limit of the stage `name`."""
        seconds = self.limit_of(name)
        if seconds is None:
            yield
            return
        limit = Limit(what, seconds, "stage_too_long")
        self.limits.append(limit)
        self.set_timer()
        try:
            yield
        finally:
            self.limits.remove(limit)
            self.set_timer()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Let the limits end what runs inside; elsewhere they wait: nothing ends a cleaning up.

        Raises TookTooLong, at once where a limit has been reached before.
        """
        if self.is_watching or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, self.ring)
        self.is_watching = True
        try:
            self.check()
            self.set_timer()
            yield
        finally:
            self.is_watching = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def set_timer(self) -> None:
        """Let the timer end when the next limit does."""
        if self.is_watching and threading.current_thread() is threading.main_thread():
            left = min((limit.until for limit in self.limits), default=0.0) - time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, max(left, SHORT) if self.limits else 0, AGAIN)

    def check(self) -> None:
        """TookTooLong where a limit is reached.

        Without its traceback, to which each criterion would add its own frames.
        """
        for limit in self.limits:
            if limit.is_reached:
                raise limit.error_when_reached().with_traceback(None)

    def ring(self, _number: int, _frame: FrameType | None) -> None:
        """The timer is at its end."""
        if not self.is_watching:
            return
        for limit in filter(lambda each: each.is_reached, self.limits):
            limit.interrupts += 1
            if limit.interrupts > INTERRUPTS:
                end_process(limit.error_when_reached())
        self.check()


def end_process(error: TookTooLong) -> NoReturn:
    """End the process without cleaning up: what runs has caught every interrupt."""
    text = (
        f"{error}\nIt caught {INTERRUPTS} interrupts, so the drill was stopped without cleaning up."
    )
    text += f"\nThe next drill cleans up what is left, or you can: {COMMAND} clean\n"
    with suppress(OSError):
        os.write(2, text.encode())
    signal.setitimer(signal.ITIMER_REAL, 0)
    while last_words:
        with suppress(Exception):
            last_words.pop()(str(error))
    os._exit(EXIT_COULD_NOT_RUN)

"""What passes (a cut connection, a server that is overloaded) is tried again, after a pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from restore_drill.places.waiting import interruptible

TRIES = 5
PAUSE = 0.2
"""Seconds before the second try; twice as long before each further one."""
T = TypeVar("T")


def tried(
    ask: Callable[[], T],
    failures: tuple[type[Exception], ...],
    is_passing: Callable[[Exception], bool],
) -> T:
    """What `ask` gives; raises the one of `failures` that does not pass, or the last one."""
    pause = PAUSE
    for left in reversed(range(TRIES)):
        try:
            return interruptible(ask)
        except failures as error:
            if not (left and is_passing(error)):
                raise
        time.sleep(pause)
        pause *= 2
    raise AssertionError

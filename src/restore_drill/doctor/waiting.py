"""Checks that run side by side; one that does not answer in time is reported as such."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from restore_drill.core.errors import CouldNotRun

T = TypeVar("T")

OTHERS = 1.0
"""Seconds that another program, or machine, has to answer: once our own work is done, which takes
the processor from those that wait for an answer."""
OURS = 5.0
"""Seconds for what only this machine does: on a busy one, or with a slow disk of backups."""


class Unanswered(CouldNotRun):
    """A check did not finish in time."""


class Begun(Generic[T]):
    """Work that has begun in a thread, for which nobody waits too long."""

    def __init__(self, work: Callable[[], T]) -> None:
        """Begin `work`."""
        self.found: list[T] = []
        self.error: BaseException | None = None
        self.is_over = threading.Event()
        threading.Thread(target=self.run, args=(work,), daemon=True).start()

    def run(self, work: Callable[[], T]) -> None:
        """Do the `work`, and keep what came of it."""
        try:
            self.found.append(work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self.error = error
        finally:
            self.is_over.set()

    def result(self, until: float, who: str) -> T:
        """What came of it; raises its error, and Unanswered for `who` at the monotonic `until`."""
        if not self.is_over.wait(max(0.0, until - time.monotonic())):
            raise Unanswered(f"{who} did not answer in time")
        if self.error is not None:
            raise self.error
        return self.found[0]

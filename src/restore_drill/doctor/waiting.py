"""Checks that run side by side, each with a limit: one that does not answer is reported as such."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from restore_drill.core.errors import CouldNotRun

T = TypeVar("T")

OTHERS = 1.5
"""Seconds that another program, or machine, has to answer."""
OURS = 5.0
"""Seconds for what only this machine does: on a busy one, or with a slow disk of backups."""


class Unanswered(CouldNotRun):
    """A check did not end in time."""


class Begun(Generic[T]):
    """Work that has begun in a thread, which nobody waits for longer than `limit` seconds."""

    def __init__(self, what: str, work: Callable[[], T], limit: float) -> None:
        """Begin `work`; `what` names it where it does not answer."""
        self.what, self.limit = what, limit
        self.until = time.monotonic() + limit
        self.found: list[T] = []
        self.error: BaseException | None = None
        self.is_over = threading.Event()
        threading.Thread(target=self.run, args=(work,), daemon=True, name=what).start()

    def run(self, work: Callable[[], T]) -> None:
        """Do the `work`, and keep what came of it."""
        try:
            self.found.append(work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self.error = error
        finally:
            self.is_over.set()

    def result(self) -> T:
        """What came of it; raises its error, and Unanswered where it takes too long."""
        if not self.is_over.wait(max(0.0, self.until - time.monotonic())):
            raise Unanswered(f"{self.what} did not answer within {self.limit:g} s")
        if self.error is not None:
            raise self.error
        return self.found[0]

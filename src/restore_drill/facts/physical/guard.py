"""Watches over a server that a damaged page may crash: whose question it was, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

import psycopg

from restore_drill.core.deadline import at_work
from restore_drill.core.errors import CouldNotRun

PATIENCE = 120.0
"""Seconds for a server to come back by itself: it replays what it has written since it started."""
PAUSE = 0.05
MOST = 20
"""Crashes after which nothing more is asked: the backup is bad, and each takes a restart."""

CRASHED = "reading it crashes the server"
TIRED = f"not read: the server has crashed {MOST} times"
AWAY = "the server has crashed and does not come back"


class Crash(psycopg.OperationalError):
    """The server crashes at a question, also when nothing else is asked meanwhile."""


class Away(psycopg.OperationalError):
    """The server does not come back."""


@dataclass
class Guard:
    """What all sessions of one server share; `why_ended` says why we have ended it ourselves.

    `revive` has the server back after a crash, or raises CouldNotRun where that is in vain.

    Questions go side by side. Where the server crashes, each of those that were asked is asked once
    more, alone: so a crash is laid at the right door.
    """

    why_ended: Callable[[], CouldNotRun | None] = lambda: None
    revive: Callable[[], None] = lambda: None
    patience: float = PATIENCE
    crashes: int = 0
    is_away: bool = False
    free: Condition = field(default_factory=Condition)
    asking: int = 0
    is_alone: bool = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """While a question is asked beside others."""
        with self.free:
            self.free.wait_for(lambda: not self.is_alone)
            self.asking += 1
        try:
            yield
        finally:
            with self.free:
                self.asking -= 1
                self.free.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While a question is asked and no other one is."""
        with self.free:
            self.free.wait_for(lambda: not self.is_alone)
            self.is_alone = True
            self.free.wait_for(lambda: not self.asking)
        try:
            yield
        finally:
            with self.free:
                self.is_alone = False
                self.free.notify_all()

    def refuse(self) -> None:
        """Raise where nothing more is to be asked."""
        if ended := self.why_ended():
            raise ended
        if self.is_away:
            raise Away(AWAY)
        if self.crashes >= MOST:
            raise Crash(TIRED)

    def await_server(self, answers: Callable[[], bool]) -> None:
        """Wait until the server `answers`; Away where it does not come back."""
        try:
            self.revive()
        except CouldNotRun as error:
            if ended := self.why_ended():
                raise ended from None
            self.is_away = True
            raise Away(f"{AWAY}: {error.what}") from None
        until = time.monotonic() + self.patience
        with at_work(lambda: "waiting for the server to come back from a crash"):
            while not answers():
                self.refuse()
                if time.monotonic() > until:
                    self.is_away = True
                    raise Away(AWAY)
                time.sleep(PAUSE)

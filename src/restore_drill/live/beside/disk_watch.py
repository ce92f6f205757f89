"""Stops a drill beside a live database before what it writes fills the disk of that server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.session import Connection
from restore_drill.live.server.room import Disks, disks_of
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.model import Target

TRIES, PAUSE = 20, 0.1
"""A server before 13 drops no database with sessions in it: they have to be gone first."""
END_SESSIONS = """
    SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = %s
"""


class LiveRoomWatch(RoomWatch):
    """Watches one disk of a live server, whose drill it ends."""

    def __init__(self, place: Path, end: Callable[[], None], disks: Disks, of: str) -> None:
        """Watch over the file system of `place`; `of` describes the server's database."""
        self.disks, self.of = disks, of
        super().__init__(place, end)

    def least_of(self, free: int) -> int:
        """Bytes that are to stay free where so many are at the beginning."""
        return self.disks.reserve(free)

    def stop(self) -> None:
        """Look no longer; what it has begun to end is ended then."""
        self.is_over.set()
        self.thread.join()

    def error(self) -> CouldNotRun | None:
        """What to raise once the drill was ended."""
        if not self.left:
            return None
        what, left, least = self.shortage
        return CouldNotRun(
            f"the drill was stopped before it filled the {what} of {self.of}",
            checked=[f"{left} were free in {self.place}, {least} are reserved for the live server"],
            remedy=remedy_for("beside", "filled"),
        )


@contextmanager
def watched(made: Target, drop: Callable[[], None]) -> Iterator[Target]:
    """The database `made` by a drill, ended with `drop` before it fills a disk that can be seen."""
    with made.connect(connect_timeout="10") as connection:
        disks = disks_of(made, connection)
    if disks is None:
        yield made
        return
    once = Lock()

    def end() -> None:
        if once.acquire(blocking=False):
            drop()

    watches = [LiveRoomWatch(each, end, disks, made.description) for each in disks.places]

    def why_ended() -> CouldNotRun | None:
        return next(filter(None, (each.error() for each in watches)), None)

    try:
        yield replace(made, why_ended=why_ended)
    finally:
        for each in watches:
            each.stop()


def end_sessions_and_drop(connection: Connection, name: str, drop: Callable[[], None]) -> None:
    """End all sessions in the drill's database `name`, and `drop` it, as soon as they are gone.

    What fails for good is left to the end of the drill, which tries again and reports it.
    """
    for _ in range(TRIES):
        with suppress(psycopg.Error):
            connection.execute(END_SESSIONS, [name])
            drop()
            return
        time.sleep(PAUSE)

"""The lock on the name of a live database, held in another database of its server.

A lock in the database itself would need a session there, and a database with a session in it
cannot be renamed.
"""

from __future__ import annotations

from typing import Self

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.retry import tried_again
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.server.drill_databases import held_locks, lock_key
from restore_drill.servers.model import Target

TRIES, PAUSE = 20, 0.5
"""How often, and at what distance in seconds, a lost lock is asked for."""
AT_FIRST, SOON = 3, 0.2
"""The same for a new one: a session that has just been closed still holds its lock for a moment."""


def holders_of(connection: Connection, key: int) -> list[int]:
    """Processes that hold the advisory lock `key`, in any database of the server."""
    return [each.pid for each in held_locks(connection) if each.key == key]


class NameLock:
    """A session on `server` that holds the lock on the database `name`; as a context it lets go."""

    def __init__(self, server: Target, name: str) -> None:
        """Take the lock; CouldNotRun where another drill has it, in whatever database it is."""
        self.server, self.name, self.key = server, name, lock_key(name)
        self.connection = self.taken(AT_FIRST, SOON)

    def taken(self, tries: int, pause: float) -> Connection:
        """New session that has the lock, asked for so often; CouldNotRun where it is kept from us.

        Two drills that ask at once may both be refused at first.
        """
        return tried_again(self.take, CouldNotRun, tries, pause)

    def take(self) -> Connection:
        """New session that has the lock; CouldNotRun where another drill has it."""
        connection = self.server.connect()
        row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [self.key])
        own = connection.info.backend_pid
        others = [pid for pid in holders_of(connection, self.key) if pid != own]
        if others or row.fetchone() != (True,):
            connection.close()
            raise CouldNotRun(
                f"another drill is at work on database {self.name}",
                checked=[f"pg_locks: pid {pid} holds its lock" for pid in others],
                remedy=remedy_for("live", "another_drill"),
            )
        return connection

    def __enter__(self) -> Self:
        """Hold it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self.connection.close()

    def check(self) -> None:
        """CouldNotRun where the lock is lost: its session has ended."""
        if why := self.why_lost():
            raise CouldNotRun(
                f"the drill's lock on database {self.name} was lost, so nothing was changed",
                checked=[why],
                remedy=remedy_for("promote", "lock_lost"),
            )

    def why_lost(self) -> str:
        """Why the lock is not held any more; empty where it is."""
        try:
            if self.connection.info.backend_pid in holders_of(self.connection, self.key):
                return ""
        except psycopg.Error as error:
            return error_text(error)
        return "pg_locks does not show it any more"

    def regain(self) -> None:
        """Take the lock anew where it is lost: a way back has to be gone all the same.

        CouldNotRun where another drill has it, and keeps it.
        """
        if self.why_lost():
            self.connection.close()
            self.connection = self.taken(TRIES, PAUSE)

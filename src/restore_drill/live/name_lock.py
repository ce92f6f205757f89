"""The lock on the name of a live database, held in another database of its server.

A lock in the database itself would need a session there, and a database with a session in it
cannot be renamed.
"""

from __future__ import annotations

from typing import Self

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.drill_databases import held_locks, lock_key
from restore_drill.servers.model import Target


def holders_of(connection: Connection, key: int) -> list[int]:
    """Processes that hold the advisory lock `key`, in any database of the server."""
    return [each.pid for each in held_locks(connection) if each.key == key]


class NameLock:
    """A session on `server` that holds the lock on the database `name`; as a context it lets go."""

    def __init__(self, server: Target, name: str) -> None:
        """Take the lock; CouldNotRun where another drill has it, in whatever database it is."""
        self.name, self.key = name, lock_key(name)
        self.connection = server.connect()
        row = self.connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [self.key])
        own = self.connection.info.backend_pid
        others = [pid for pid in self.holders() if pid != own]
        if others or row.fetchone() != (True,):
            self.connection.close()
            raise CouldNotRun(
                f"another drill is at work on database {name}",
                checked=[f"pg_locks: pid {pid} holds its lock" for pid in others],
                remedy=remedy_for("live", "another_drill"),
            )

    def holders(self) -> list[int]:
        """Processes that hold the lock, in any database of the server."""
        return holders_of(self.connection, self.key)

    def __enter__(self) -> Self:
        """Hold it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self.connection.close()

    def check(self) -> None:
        """CouldNotRun where the lock is lost: its session has ended."""
        try:
            if self.connection.info.backend_pid in self.holders():
                return
            why = "pg_locks does not show it any more"
        except psycopg.Error as error:
            why = error_text(error)
        raise CouldNotRun(
            f"the drill's lock on database {self.name} was lost, so nothing was renamed",
            checked=[why],
            remedy=remedy_for("promote", "lock_lost"),
        )

"""Who is connected to a database: named, waited for, and ended where a swap needs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Event, Thread
from typing import NamedTuple, Self

import psycopg

from restore_drill.core.printable import printable
from restore_drill.facts.session import Connection
from restore_drill.servers.model import Target

SHOWN = 10
"""So many sessions are named in a message at most."""
PAUSE = 0.02
"""Seconds between two looks at the sessions."""

SESSIONS = """
    SELECT a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''),
        coalesce(a.state, ''), coalesce(a.backend_type, ''), a.xact_start,
        me.rolsuper OR coalesce(NOT r.rolsuper AND (pg_catalog.pg_has_role(a.usesysid, 'USAGE')
            OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')), false)
    FROM pg_catalog.pg_stat_activity a
    CROSS JOIN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) me
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
    WHERE a.datid = ANY (%s) AND a.pid <> pg_catalog.pg_backend_pid()
        AND coalesce(a.backend_type, '') <> 'autovacuum worker'
    ORDER BY a.pid
"""
"""The server itself ends what vacuums a database that is renamed."""
IS_AT_DOOR = """
    SELECT FROM pg_catalog.pg_locks WHERE locktype = 'object' AND pid = %s AND granted
        AND classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND objid = %s
        AND mode = 'AccessExclusiveLock'
"""


class Session(NamedTuple):
    """A session or a background process; `since` is when its transaction began.

    `kind` and `state` are empty where this role may not see them.
    """

    pid: int
    user: str
    application: str
    state: str
    kind: str
    since: datetime | None
    may_be_ended: bool

    @property
    def line(self) -> str:
        """`pid 17: user app, "gunicorn", idle in transaction`."""
        parts = [f"user {self.user}" if self.user else "no user"]
        parts += [f'"{self.application}"'] if self.application else []
        kind = self.kind or ("" if self.user else "background process")
        parts += [kind] if kind != "client backend" and kind else []
        parts += [self.state] if self.state else []
        return printable(f"pid {self.pid}: {', '.join(parts)}")


def sessions_on(connection: Connection, *oids: int) -> list[Session]:
    """Sessions and background processes in the databases `oids`, without that of `connection`."""
    rows = connection.execute(SESSIONS.encode(), [list(oids)]).fetchall()
    return [Session(*row) for row in rows]


def lines_of(sessions: Sequence[Session]) -> list[str]:
    """A line for each of `sessions`, up to SHOWN."""
    more = len(sessions) - SHOWN
    return [each.line for each in sessions[:SHOWN]] + ([f"and {more} more"] if more > 0 else [])


def not_endable(sessions: Sequence[Session]) -> list[Session]:
    """Those that this role may not end. Hidden processes without a user end by themselves."""
    return [each for each in sessions if not each.may_be_ended and (each.user or each.kind)]


def wait_for_transactions(
    connection: Connection, oid: int, seconds: float
) -> set[tuple[int, datetime | None]]:
    """Wait until the transactions that are open in the database now have ended, or `seconds`.

    New ones are not waited for: under load there is always one. Gives pid and begin of what is
    still open.
    """
    deadline = time.monotonic() + seconds
    known: set[tuple[int, datetime | None]] = {
        (each.pid, each.since) for each in sessions_on(connection, oid) if each.since
    }
    while known and time.monotonic() < deadline:
        time.sleep(PAUSE)
        known &= {(each.pid, each.since) for each in sessions_on(connection, oid)}
    return known


class Ending:
    """Ends all sessions of the databases `oids`, as soon as process `pid` has locked the first.

    As a context: from then on nobody new gets in, superusers and background workers neither,
    since each takes a lock on its database that conflicts.
    """

    def __init__(self, server: Target, pid: int, *oids: int) -> None:
        """Nothing is ended yet; `server` is a way that leads through another database."""
        self.server, self.pid, self.oids = server, pid, oids
        self.is_over = Event()
        self.ended: set[int] = set()
        self.connection = server.connect()
        self.thread = Thread(target=self.run, name="ends sessions", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.is_over.set()
        self.thread.join()
        self.connection.close()

    def run(self) -> None:
        """Watch the lock, then end sessions until it is over."""
        with suppress(psycopg.Error):  # the rename reports what is left, or what is lost
            self.wait(lambda: self.is_locked)
            self.wait(self.end)

    def wait(self, done: Callable[[], bool]) -> None:
        """Call `done` until it is true, or all is over."""
        while not self.is_over.is_set() and not done():
            self.is_over.wait(PAUSE)

    @property
    def is_locked(self) -> bool:
        """Whether the process holds the database."""
        asked = self.connection.execute(IS_AT_DOOR.encode(), [self.pid, self.oids[0]])
        return asked.fetchone() is not None

    def end(self) -> bool:
        """End what is there; never done, since a second database follows the first."""
        for each in sessions_on(self.connection, *self.oids):
            if each.may_be_ended and each.pid != self.pid:
                self.connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [each.pid])
                self.ended.add(each.pid)
        return False

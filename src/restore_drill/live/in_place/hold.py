"""The session that lets all writes wait from the snapshot to the reset, and resets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

import psycopg
from psycopg import errors, sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.retry import tried_again
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.in_place.mark import Mark, comment_on
from restore_drill.live.server.emptying import empty, left_behind
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.model import Target

LOCK_WAIT = "15s"
"""How long the application's sessions may keep a table from us."""
TRIES, PAUSE = 60, 0.5
"""How often, and at what distance in seconds, a server is asked that may be starting again."""

TABLES = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY 1, 2
"""


class Hold:
    """A session in a live database whose drill has the lock on its name; a context that lets go.

    From `stop_writes` until `reset` no other session can change a row, so that nothing is written
    after the snapshot and dropped unseen. `may_be_reset` is set when the reset is being committed.
    `mark` comes onto the database with it.
    """

    def __init__(self, target: Target, lock: NameLock) -> None:
        """Connect."""
        self.target, self.lock = target, lock
        self.may_be_reset = False
        self.mark: Mark | None = None
        self.locked: set[tuple[str, str]] = set()
        self.connection = target.connect(prepare_threshold=None)

    def __enter__(self) -> Self:
        """Hold it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it; what was not committed is undone."""
        self.connection.close()

    def stop_writes(self) -> None:
        """Let every other session wait with its writes; CouldNotRun where a table stays locked."""
        try:
            self.begin()
            self.locked = self.tables()
            if names := [sql.Identifier(*row) for row in sorted(self.locked)]:
                statement = sql.SQL("LOCK TABLE {} IN SHARE MODE")
                self.connection.execute(statement.format(sql.SQL(", ").join(names)))
        except psycopg.Error as error:
            self.connection.close()
            raise self.untouched(error) from None

    def tables(self) -> set[tuple[str, str]]:
        """Schema and name of each table that there is."""
        return {(row[0], row[1]) for row in self.connection.execute(TABLES).fetchall()}

    def refuse_new_tables(self) -> None:
        """CouldNotRun where a table has come since `stop_writes`: no snapshot holds its rows."""
        if new := self.tables() - self.locked:
            raise CouldNotRun(
                f"{self.target.description} was not reset: somebody created a table in it "
                "in the meantime",
                checked=[".".join(each) for each in sorted(new)[:10]],
                remedy=remedy_for("in_place", "came_in"),
            )

    def begin(self) -> None:
        """Begin a transaction that waits for no lock for long, and idles as long as it must."""
        self.connection.execute("BEGIN")
        self.connection.execute(
            "SELECT pg_catalog.set_config(s.name, v.value, true) FROM (VALUES"
            " ('lock_timeout', %s), ('client_min_messages', 'warning'), ('statement_timeout', '0'),"
            " ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),"
            " ('synchronous_commit', 'on'))"
            " v (name, value) JOIN pg_catalog.pg_settings s USING (name)",
            [LOCK_WAIT],
        )

    def reset(self, unchanged: Callable[[], None]) -> None:
        """Drop all that is in the database, and make an empty schema public, in one transaction.

        `unchanged` raises where the database is no longer what the snapshot holds. CouldNotRun
        says that nothing was touched: also where the lock on the name was lost meanwhile.
        """
        try:
            unchanged()
            self.empty()
            if self.mark is not None:
                comment_on(self.connection, self.mark.text)
            self.lock.check()
            self.may_be_reset = True
            self.connection.execute("COMMIT")
        except psycopg.Error as error:
            self.connection.close()
            raise self.untouched(error) from None
        except BaseException:
            self.connection.close()
            raise

    def reset_again(self) -> None:
        """The same on the way back, also where the server was away, or the lock was lost.

        Where writes were stopped for a snapshot, no table may have come since.
        """
        self.revive()
        is_held = self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
        if not is_held:
            self.begin()
        self.reset(self.refuse_new_tables if is_held else lambda: None)

    def revive(self) -> None:
        """Have the session and the lock anew where they are lost; psycopg.Error where they stay."""
        try:
            self.connection.execute("SELECT")
        except psycopg.Error:
            self.connection.close()
            self.connection = again(self.target)
        self.lock.regain()

    def empty(self) -> None:
        """Empty the database within the transaction; CouldNotRun where something is left."""
        empty(self.connection, self.target.major)
        if left := left_behind(self.connection):
            raise CouldNotRun(
                f"{self.target.description} was not reset: a reset would leave something behind",
                checked=left[:10],
                remedy=remedy_for("in_place", "left_behind"),
            )

    def untouched(self, error: psycopg.Error) -> CouldNotRun:
        """Why the database was left as it is."""
        remedy, why = remedy_for("live", "refused"), "the server refused"
        if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
            remedy, why = remedy_for("live", "locked"), "other sessions hold locks in it"
        elif isinstance(error, errors.OutOfMemory):
            remedy = remedy_for("live", "few_locks")
            why = "its server cannot lock all of its tables at once"
        return CouldNotRun(
            f"{self.target.description} was not reset: {why}",
            checked=[error_text(error)],
            remedy=remedy,
        )


def again(target: Target) -> Connection:
    """New session, also where the server is just starting again; psycopg.Error where it is not."""
    connect = partial(target.connect, connect_timeout="10")
    return tried_again(connect, psycopg.OperationalError, TRIES, PAUSE)

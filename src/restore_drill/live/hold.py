"""Keeps a live database to one drill: the lock, the writes that wait, and the reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import psycopg
from psycopg import errors, sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.drill_databases import LOCK_KEY, lock_key
from restore_drill.live.name_lock import holders_of
from restore_drill.servers.model import Target

LOCK_WAIT = "15s"
"""How long the application's sessions may keep a table from us."""

SCHEMAS = """
    SELECT nspname FROM pg_catalog.pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        AND nspname NOT LIKE 'pg\\_temp\\_%' AND nspname NOT LIKE 'pg\\_toast\\_temp\\_%'
"""
TABLES = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY 1, 2
"""


class Hold:
    """One session that holds the drill's lock on a live database; as a context it lets go.

    From `stop_writes` until `reset` no other session can change a row, so that nothing is written
    after the snapshot and dropped unseen. `may_be_reset` is set when the reset is being committed.
    """

    def __init__(self, target: Target) -> None:
        """Take the lock; CouldNotRun where another drill has it."""
        self.target = target
        self.may_be_reset = False
        self.connection = self.take_lock()

    def take_lock(self) -> Connection:
        """New session that has the drill's lock."""
        connection = self.target.connect()
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY]).fetchone()
        promoting = holders_of(connection, lock_key(self.target.conninfo["dbname"]))
        if row and row[0] and not promoting:
            return connection
        connection.close()
        raise CouldNotRun(
            f"another drill is at work on {self.target.description}",
            remedy=remedy_for("live", "another_drill"),
        )

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
            names = [sql.Identifier(*row) for row in self.connection.execute(TABLES).fetchall()]
            if names:
                statement = sql.SQL("LOCK TABLE {} IN SHARE MODE")
                self.connection.execute(statement.format(sql.SQL(", ").join(names)))
        except psycopg.Error as error:
            self.connection.close()
            raise self.untouched(error) from None

    def begin(self) -> None:
        """Begin a transaction that waits for no lock for long, and idles as long as it must."""
        self.connection.execute("BEGIN")
        self.connection.execute(
            "SELECT pg_catalog.set_config(s.name, v.value, true) FROM (VALUES"
            " ('lock_timeout', %s), ('client_min_messages', 'warning'), ('statement_timeout', '0'),"
            " ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'))"
            " v (name, value) JOIN pg_catalog.pg_settings s USING (name)",
            [LOCK_WAIT],
        )

    def reset(self, unchanged: Callable[[], None] = lambda: None) -> None:
        """Drop all that is in the database, and make an empty schema public, in one transaction.

        `unchanged` raises where the database is no longer what the snapshot holds. CouldNotRun
        says that nothing was touched.
        """
        try:
            if self.connection.closed:
                self.connection = self.take_lock()
            if self.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                self.begin()
            unchanged()
            drop_all(self.connection)
            make_public(self.connection, self.target.major)
            self.may_be_reset = True
            self.connection.execute("COMMIT")
        except psycopg.Error as error:
            self.connection.close()
            raise self.untouched(error) from None
        except BaseException:
            self.connection.close()
            raise

    def untouched(self, error: psycopg.Error) -> CouldNotRun:
        """Why the database was left as it is."""
        if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
            return CouldNotRun(
                f"{self.target.description} was not reset: other sessions hold locks in it",
                remedy=remedy_for("live", "locked"),
            )
        return CouldNotRun(
            f"{self.target.description} was not reset: the server refused",
            checked=[error_text(error)],
            remedy=remedy_for("live", "refused"),
        )


def drop_all(connection: Connection) -> None:
    """Drop event triggers, publications, extensions, schemas and large objects."""
    drop_subscriptions(connection)
    for kind, query in (
        ("EVENT TRIGGER", "SELECT evtname FROM pg_catalog.pg_event_trigger"),
        ("PUBLICATION", "SELECT pubname FROM pg_catalog.pg_publication"),
        ("EXTENSION", "SELECT extname FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'"),
        ("SERVER", "SELECT srvname FROM pg_catalog.pg_foreign_server"),
        ("SCHEMA", SCHEMAS),
    ):
        for (name,) in connection.execute(query.encode()).fetchall():
            connection.execute(
                sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.Identifier(name))
            )
    connection.execute("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata")


def drop_subscriptions(connection: Connection) -> None:
    """Drop those of this database, which are off (`check_resettable`), without their publisher.

    What has no slot is dropped here alone: a slot of that name on another server stays.
    """
    own = (
        "SELECT s.subname FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d"
        " ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database()"
    )
    for (name,) in connection.execute(own).fetchall():
        for change in ("ALTER SUBSCRIPTION {} SET (slot_name = NONE)", "DROP SUBSCRIPTION {}"):
            connection.execute(sql.SQL(change).format(sql.Identifier(name)))


def make_public(connection: Connection, major: int) -> None:
    """Schema public as a new database of this version has it."""
    connection.execute("CREATE SCHEMA public")
    if major >= 15:
        connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    else:
        connection.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
    connection.execute("COMMENT ON SCHEMA public IS 'standard public schema'")

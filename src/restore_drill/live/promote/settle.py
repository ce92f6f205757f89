"""How a swap ended that nobody has seen the end of: read from the server, and noted.

The two renames are one transaction, so there are two ends, and a third is only met where
somebody has renamed by hand: then the live name is given back.
"""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.promote.journal import (
    DONE,
    NO_DATABASE,
    UNDONE,
    Journal,
    note_end,
    way_back_command,
)
from restore_drill.servers.model import Target

TRIES = 60
"""How often a server that does not answer is asked: it may be starting again."""
PAUSE = 0.5
"""Seconds between two tries."""

NAMES = "SELECT oid::bigint, datname FROM pg_catalog.pg_database WHERE oid = ANY (%s)"
BUSY = """
    SELECT FROM pg_catalog.pg_locks WHERE locktype = 'object' AND mode = 'AccessExclusiveLock'
        AND classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND objid = ANY (%s)
        AND (%s::integer IS NULL OR pid = %s)
"""
"""A transaction that renames, and may still be committed by a server that has lost us."""


class NotSettled(CouldNotRun):
    """A swap of which it is not known how it ended."""


def names_of(connection: Connection, *oids: int) -> dict[int, str]:
    """Names of the databases `oids`, without those that are gone."""
    return dict(connection.execute(NAMES, [list(oids)]).fetchall())


def settle(server: Target, folder: Path, journal: Journal, pid: int | None = None) -> Journal:
    """Find out how the swap of `journal` ended, and note it; the lock on its name must be held.

    `pid` is the session that it was done by, where that is known.
    NotSettled where the server does not answer, or the names are none that a swap leaves.
    """
    connection = reconnect(server, folder, journal)
    try:
        with connection:
            return settled(connection, folder, journal, pid)
    except psycopg.Error as error:
        raise not_settled(folder, journal, [error_text(error)]) from None


def settled(connection: Connection, folder: Path, journal: Journal, pid: int | None) -> Journal:
    """`journal` with its end."""
    oids = list(journal.after)
    wait_for_end(connection, folder, oids, journal, pid)
    found = names_of(connection, *oids)
    live = found.get(journal.live_oid)
    if found == journal.after:
        return note_end(folder, journal, DONE)
    # A database that was to be created has not got the name: there is none, as before.
    if live == journal.name or journal.live_oid == NO_DATABASE:
        return note_end(folder, journal, UNDONE)
    is_free = connection.execute(
        "SELECT FROM pg_catalog.pg_database WHERE datname = %s", [journal.name]
    ).fetchone()
    if live == journal.kept and is_free is None:
        back = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(back.format(sql.Identifier(live), sql.Identifier(journal.name)))
        return note_end(folder, journal, UNDONE)
    names = [f"number {oid} is {found.get(oid, 'gone')}" for oid in oids]
    raise not_settled(folder, journal, names)


def reconnect(server: Target, folder: Path, journal: Journal) -> Connection:
    """New session, also where the server is just starting again."""
    for _ in range(TRIES):
        try:
            return server.connect(connect_timeout="10")
        except psycopg.OperationalError as error:
            why = error_text(error)
        time.sleep(PAUSE)
    raise not_settled(folder, journal, [why])


def wait_for_end(
    connection: Connection, folder: Path, oids: list[int], journal: Journal, pid: int | None
) -> None:
    """Wait until no transaction renames these databases any more."""
    for _ in range(TRIES):
        if connection.execute(BUSY.encode(), [oids, pid, pid]).fetchone() is None:
            return
        time.sleep(PAUSE)
    raise not_settled(folder, journal, ["a transaction on the server is still renaming"])


def not_settled(folder: Path, journal: Journal, reasons: list[str]) -> NotSettled:
    """What is known of the swap, and how to go on."""
    return NotSettled(
        f"it is not known whether database {journal.name} was swapped: it is either the one "
        f"with the number {journal.live_oid} (as before) or {journal.incoming_oid} (the other one)",
        checked=reasons,
        remedy=remedy_for(
            "promote", "not_settled",
            name=journal.name, kept=journal.kept, way_back=way_back_command(journal.name, folder),
        ),
    )  # fmt: skip

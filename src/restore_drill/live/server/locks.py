"""Whether a live server can lock as many tables at once as a drill has to.

Its table of locks is shared: a drill that fills it fails, and so do the sessions of the
application. A restore takes few at a time; pg_dump locks all tables in one transaction, and a reset
locks all that it drops.
"""

from __future__ import annotations

from collections.abc import Iterable

from restore_drill.backups.model import Entry
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.facts.session import Connection
from restore_drill.servers.model import Target

SERVER = """
    SELECT pg_catalog.current_setting('max_locks_per_transaction')::bigint,
        pg_catalog.current_setting('max_connections')::bigint
            + pg_catalog.current_setting('max_prepared_transactions')::bigint,
        (SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT fastpath)
"""
"""Background processes add some 20 % to that number, which stay for the application."""
TABLES = "SELECT count(*) FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p')"
DROPPED = """
    SELECT (SELECT count(*) FROM pg_catalog.pg_class WHERE oid >= 16384)
        + (SELECT count(*) FROM pg_catalog.pg_type WHERE oid >= 16384)
        + (SELECT count(*) FROM pg_catalog.pg_constraint WHERE oid >= 16384)
        + (SELECT count(*) FROM pg_catalog.pg_attrdef)
        + (SELECT count(*) FROM pg_catalog.pg_proc WHERE oid >= 16384)
        + (SELECT count(*) FROM pg_catalog.pg_trigger WHERE oid >= 16384)
        + (SELECT count(*) FROM pg_catalog.pg_rewrite WHERE oid >= 16384)
"""
"""Seen with PostgreSQL 15: 1,254 locks for 150 tables, of which 100 have a key and a sequence."""
BESIDE_A_TABLE = 4
"""Objects of a table that no dump lists: two types, a TOAST table and its index."""


def tables_in(entries: Iterable[Entry]) -> int:
    """How many tables a backup with these `entries` makes."""
    return sum(each.kind == "TABLE" for each in entries)


def refuse_few_locks(
    live: Target, connection: Connection, entries: Iterable[Entry], *, reads_live: bool = False
) -> None:
    """CouldNotRun where the tables of a backup with these `entries` cannot be locked at once.

    Nor those of the database of `connection`, where the drill `reads_live`.
    """
    tables, of = tables_in(entries), "the backup"
    if reads_live and (there := count(connection, TABLES)) > tables:
        tables, of = there, "the database"
    refuse(live, connection, tables, f"{of} has {show_count(tables, 'table')}")


def refuse_few_locks_in_place(
    live: Target, connection: Connection, entries: Iterable[Entry] = ()
) -> None:
    """CouldNotRun where all that a reset drops, before or after the restore, cannot be locked."""
    found = list(entries)
    restored = len(found) + BESIDE_A_TABLE * tables_in(found)
    needed = max(count(connection, DROPPED), restored)
    refuse(live, connection, needed, f"a reset drops {show_count(needed, 'object')}")


def count(connection: Connection, query: str) -> int:
    """The number that `query` gives."""
    (row,) = connection.execute(query.encode()).fetchall()
    return int(row[0])


def refuse(live: Target, connection: Connection, needed: int, why: str) -> None:
    """CouldNotRun where the server has fewer than `needed` locks free."""
    (row,) = connection.execute(SERVER.encode()).fetchall()
    each, sessions, used = row
    if needed + used <= each * sessions:
        return
    total = f"with {sessions} connections and prepared transactions that makes {each * sessions:,}"
    raise CouldNotRun(
        f"{live.description} was not touched: its server cannot hold enough locks at once",
        checked=[
            f"{why}, which need as many locks in one transaction; {used:,} are in use",
            f"max_locks_per_transaction is {each}: {total}",
        ],
        remedy=remedy_for("locks", "few", enough=-(-(needed + used) * 5 // (sessions * 4))),
    )

"""The storage examined by amcheck: every table and index, and each row against its entry.

amcheck's functions are made in the session's own temporary schema: no extension is installed,
nothing of it can be seen by other sessions or a dump, and it goes with the connection.
"""

from __future__ import annotations

from typing import LiteralString, NamedTuple

import psycopg

from restore_drill.core.server_errors import error_text
from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.pool import Connection, answer
from restore_drill.servers.model import Target

FUNCTIONS: tuple[LiteralString, ...] = (
    """CREATE FUNCTION pg_temp.drill_btree(regclass, boolean) RETURNS void
    AS '$libdir/amcheck', 'bt_index_parent_check' LANGUAGE C STRICT""",
    """CREATE FUNCTION pg_temp.drill_heap(relation regclass, on_error_stop boolean,
        check_toast boolean, skip text, startblock bigint, endblock bigint,
        OUT blkno bigint, OUT offnum integer, OUT attnum integer, OUT msg text)
    RETURNS SETOF record AS '$libdir/amcheck', 'verify_heapam' LANGUAGE C""",
)
GIN: LiteralString = """CREATE FUNCTION pg_temp.drill_gin(regclass) RETURNS void
    AS '$libdir/amcheck', 'gin_index_check' LANGUAGE C STRICT"""
GIN_SINCE = 18
"""Major version whose amcheck reads GIN indexes."""

QUIET: tuple[LiteralString, ...] = (
    "SET LOCAL session_replication_role = replica",
    "SET LOCAL client_min_messages = error",
)
"""A restored event trigger has no say in what we make."""

STRUCTURES: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname,
        CASE WHEN t.oid IS NOT NULL THEN n.nspname || '.' || t.relname ELSE '' END,
        coalesce(m.amname, 'heap'), c.oid, c.relpages, coalesce(t.relpages, 0),
        i.indexprs IS NULL AND i.indpred IS NULL
        AND NOT EXISTS (SELECT FROM unnest(i.indclass) class WHERE class >= 16384)
        AND NOT EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.atttypid >= 16384)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_am m ON m.oid = c.relam
    LEFT JOIN pg_index i ON i.indexrelid = c.oid
    LEFT JOIN pg_class t ON t.oid = i.indrelid
    WHERE c.relkind IN ('r', 'm', 'i') AND c.relpersistence <> 't'
        AND coalesce(i.indisvalid AND i.indisready AND i.indislive, true) AND"""
    + USER_SCHEMA
    + """
    UNION ALL
    SELECT n.nspname || '.' || c.relname || ' (the index of its TOAST table)',
        n.nspname || '.' || c.relname, 'toast', i.indexrelid, ic.relpages, 0, false
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_index i ON i.indrelid = c.reltoastrelid
    JOIN pg_class ic ON ic.oid = i.indexrelid
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND"""
    + USER_SCHEMA
)

CHECKS = {
    "btree": "SELECT pg_temp.drill_btree({}, {})",
    "toast": "SELECT pg_temp.drill_btree({}, false)",
    "gin": "SELECT pg_temp.drill_gin({})",
    "heap": "SELECT string_agg(DISTINCT msg, '; ') FROM"
    " pg_temp.drill_heap({}, true, true, 'none', NULL, NULL)",
}
"""Query for each access method: it raises an error, or gives a message, where it finds damage."""

DEEP, SHALLOW = 7.0, 3.0
"""What a page of an index costs with its table's and by itself, where counting rows costs 1."""


class Structure(NamedTuple):
    """A table, or an index of `table`, with its access method and their sizes in pages.

    `is_plain` says that the index holds bare columns, and that nothing but PostgreSQL's own code
    orders them; `is_deep` that each row is looked up in it.
    """

    name: str
    table: str
    method: str
    oid: int
    own_pages: int
    table_pages: int
    is_plain: bool
    is_deep: bool = True

    @property
    def pages(self) -> int:
        """Pages that are read."""
        return self.own_pages + (self.table_pages if self.is_deep else 0)

    @property
    def effort(self) -> float:
        """What each of them costs."""
        if self.method not in ("btree", "gin"):
            return 1.0
        return DEEP if self.is_deep else SHALLOW

    @property
    def label(self) -> str:
        """`index public.cards_pkey on public.cards`, or `table public.cards`."""
        return f"index {self.name} on {self.table}" if self.table else f"table {self.name}"


def why_not(target: Target, connection: Connection) -> str:
    """Why the storage of `target` cannot be examined; empty where it can."""
    if not target.throwaway:
        return "amcheck's functions are made only on a throwaway server"
    try:
        prepare(connection, target.major)
    except psycopg.Error as error:
        reason = error_text(error, " ".join(FUNCTIONS))
        return f"amcheck cannot be used on {target.description}: {reason}"
    return ""


def prepare(connection: Connection, major: int) -> None:
    """Make amcheck's functions in the temporary schema of this session."""
    connection.execute("BEGIN READ WRITE")
    try:
        for command in QUIET:
            connection.execute(command)
        if major >= 17:
            connection.execute("SET LOCAL event_triggers = off")
        for command in (*FUNCTIONS, *((GIN,) if major >= GIN_SINCE else ())):
            connection.execute(command)
    except psycopg.Error:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def is_checked(structure: Structure, major: int) -> bool:
    """Whether amcheck reads structures of this kind."""
    if structure.method == "gin":
        return major >= GIN_SINCE
    return structure.method in CHECKS


def examine(connection: Connection, structure: Structure) -> str:
    """What is wrong with one table or index: amcheck's message, empty where it is sound."""
    query = CHECKS[structure.method].format(structure.oid, structure.is_deep)
    outcome = answer(connection, query)
    found = outcome.error or (outcome.row[0] if outcome.row else None)
    return f"{structure.label}: {found}" if found else ""

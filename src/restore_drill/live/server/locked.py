"""Tables of a live database that somebody has locked against being read."""

from __future__ import annotations

from typing import LiteralString

import psycopg

from restore_drill.core.names import joined
from restore_drill.core.server_errors import error_text
from restore_drill.live.server.sessions import sessions_on
from restore_drill.servers.model import Target

LOCKED: LiteralString = """
    SELECT n.nspname, c.relname, l.pid FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_class c ON c.oid = l.relation
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE l.database = %s AND l.granted AND l.mode = 'AccessExclusiveLock'
        AND c.relkind IN ('r', 'p', 'm') ORDER BY 1, 2 LIMIT 20
"""
"""A table that an open transaction has made is not in the catalog that we see."""


def lines_on_locked(live: Target, oid: int) -> list[str]:
    """A line on each table of the database `oid` that is locked, and on whose session it is."""
    try:
        with live.connect(connect_timeout="10") as connection:
            lines = {each.pid: each.line for each in sessions_on(connection, oid)}
            rows = connection.execute(LOCKED, [oid]).fetchall()
    except psycopg.Error as error:
        return [f"who holds the locks could not be queried: {error_text(error)}"]
    return [
        f"{joined(schema, table)} is locked by {lines.get(pid, f'pid {pid}')}"
        for schema, table, pid in rows
    ]

"""Sessions that read a database: read-only, and with fixed settings."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from restore_drill.servers.model import Target

Connection = psycopg.Connection[tuple[Any, ...]]

FIXED = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "xmlbinary": "base64",
    "xmloption": "content",
    "search_path": "pg_catalog",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "row_security": "off",
    "jit": "off",
    "statement_timeout": "0",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",
}
"""Settings that decide how values and definitions are written, or end a long read."""

FIX = """
    SELECT pg_catalog.set_config(fixed.name, fixed.value, %s)
    FROM unnest(%s::text[], %s::text[]) fixed (name, value)
    JOIN pg_catalog.pg_settings known
        ON lower(known.name) = fixed.name AND known.context = 'user'
"""


def open_session(target: Target, *, snapshot: str | None = None) -> Connection:
    """Connection that cannot write, free of the database's own settings.

    With a `snapshot` it is inside a transaction of it, or of a new one where that is empty. There
    all is set inside the transaction, so that a pooler between us and the server does no harm.
    """
    connection = target.connect(prepare_threshold=None)
    try:
        if snapshot is None:
            connection.execute("SET default_transaction_read_only = on")
        else:
            begin(connection, snapshot)
        fixed = [snapshot is not None, list(FIXED), list(FIXED.values())]
        connection.execute(FIX, fixed)
    except BaseException:
        connection.close()
        raise
    return connection


def begin(connection: Connection, snapshot: str) -> None:
    """Begin a transaction of `snapshot`, of a new one where it is empty."""
    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        # such a server converts nothing: its bytes need not be UTF-8, and LATIN1 knows all
        connection.execute("SET client_encoding = 'LATIN1'")
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if snapshot:
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))

"""Sessions that read a database for its fingerprints: read-only, and with fixed settings."""

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


def open_session(target: Target, *, snapshot: str = "") -> Connection:
    """Connection inside a read-only transaction of `snapshot` (else a new one), settings fixed.

    All is set inside the transaction, so that a pooler between us and the server does no harm.
    """
    connection = target.connect(client_encoding="UTF8", prepare_threshold=None)
    try:
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            # such a server converts nothing: its bytes need not be UTF-8, and LATIN1 knows all
            connection.execute("SET client_encoding = 'LATIN1'")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if snapshot:
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        fix_settings(connection, for_transaction=True)
    except BaseException:
        connection.close()
        raise
    return connection


def fix_settings(connection: Connection, *, for_transaction: bool) -> None:
    """Settle how values are written, for this transaction or for the session."""
    connection.execute(FIX, [for_transaction, list(FIXED), list(FIXED.values())])

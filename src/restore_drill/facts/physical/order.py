"""Collations: an index of text is in order by the library of the machine that wrote it."""

from __future__ import annotations

from typing import LiteralString

import psycopg

from restore_drill.core.names import apart
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection

DEFAULT = 100
"""Oid of the collation that means the database's own."""
BY_BYTES = ("C", "POSIX")
VERSIONED_SINCE = 15

DATABASE: LiteralString = """
    SELECT coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate),
        to_jsonb(d) ->> 'datcollversion', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c')
    FROM pg_database d WHERE d.datname = current_database()"""
ACTUAL: LiteralString = """
    SELECT pg_database_collation_actual_version(d.oid)
    FROM pg_database d WHERE d.datname = current_database()"""
COLLATIONS: LiteralString = """
    WITH used AS MATERIALIZED (
        SELECT c.oid, n.nspname, c.collname, c.collversion
        FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
        WHERE c.collversion IS NOT NULL
            AND c.oid IN (SELECT unnest(i.indcollation) FROM pg_index i))
    SELECT n.oid, n.nspname || '.' || n.collname, n.collversion, pg_collation_actual_version(n.oid)
    FROM used n WHERE n.collversion IS DISTINCT FROM pg_collation_actual_version(n.oid)"""
INDEXES: LiteralString = """
    SELECT i.indexrelid, found.collation FROM pg_index i,
        LATERAL (SELECT unnest(i.indcollation) AS collation) found
    WHERE found.collation = ANY (%s::oid[])"""


def doubtful_orders(connection: Connection, major: int) -> dict[int, str]:
    """Why the order of an index may be another one here, by its oid; few databases have any."""
    why: dict[int, str] = {}
    if reason := why_database(connection, major):
        why[DEFAULT] = reason
    why |= {
        oid: f"collation {name} was version {was} where the index was made, and is {now} here"
        for oid, name, was, now in connection.execute(apart(COLLATIONS).encode())
    }
    if not why:
        return {}
    return {index: why[collation] for index, collation in connection.execute(INDEXES, [list(why)])}


def why_database(connection: Connection, major: int) -> str:
    """Why the database's own collation may order otherwise here, empty where it does not."""
    row = connection.execute(DATABASE).fetchone()
    locale, was, provider = row or ("C", None, "c")
    if provider == "b" or locale.partition(".")[0] in BY_BYTES:
        return ""
    if was is None:
        return f"the backup does not say which version of collation {locale} its indexes are of"
    found = connection.execute(ACTUAL).fetchone() if major >= VERSIONED_SINCE else None
    now = found[0] if found else None
    if now == was:
        return ""
    return f"collation {locale} was version {was} where the database was made, and is {now} here"


def orders_or_why_not(connection: Connection, major: int) -> tuple[dict[int, str], str]:
    """The same, and why it is not known, which is empty where it is."""
    try:
        return doubtful_orders(connection, major), ""
    except psycopg.Error as error:
        if connection.broken:
            raise
        return {}, error_text(error)

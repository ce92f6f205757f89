"""Large objects, and the rows that name them."""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.pool import HEAP_ONLY, Connection, Outcome, answer

POINTERS: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname || '.' || a.attname, quote_ident(a.attname),
        'ONLY ' || c.oid::regclass, c.relpages, t.typname = 'lo'
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        AND 'oid'::regtype IN (t.oid, t.typbasetype) AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)


class Pointer(NamedTuple):
    """A column that may name large objects; one of type lo (extension lo) is sure to."""

    name: str
    quoted: str
    source: str
    pages: int
    is_certain: bool


def count_lost(connection: Connection, pointer: Pointer) -> Outcome:
    """Count the values of a column that name no large object that is there."""
    return answer(
        connection,
        f"SELECT count(*) FROM {pointer.source} t WHERE {pointer.quoted} <> 0 AND NOT EXISTS"
        f" (SELECT FROM pg_largeobject_metadata m WHERE m.oid = t.{pointer.quoted})",
        HEAP_ONLY,
    )

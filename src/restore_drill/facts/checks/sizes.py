"""What each restored table takes on disk, for the reports: no criterion rests on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

from restore_drill.core.names import joined
from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.check import Check
from restore_drill.facts.model import Facts
from restore_drill.facts.survey import Survey

SIZES: LiteralString = (
    """
    SELECT n.nspname, c.relname,
        (c.relpages + coalesce(sum(x.relpages), 0)) * current_setting('block_size')::bigint
            + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_index i ON i.indrelid = c.oid
    LEFT JOIN pg_class x ON x.oid = i.indexrelid
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND"""
    + USER_SCHEMA
    + "GROUP BY n.nspname, c.oid"
)
"""ANALYZE has counted the pages of tables and indexes, but not of TOAST.

pg_total_relation_size looks at every file: for 3,000 tables it took three to six times as long.
"""


SIZES_OF_FILES: LiteralString = (
    """
    SELECT n.nspname, c.relname, pg_total_relation_size(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND"""
    + USER_SCHEMA
)
"""Of a copy of files: nobody has run ANALYZE since they were taken, perhaps never."""


def plan_sizes(survey: Survey) -> Callable[[Facts], dict[str, int]]:
    """Bytes of each table (`schema.table`) with its indexes and its TOAST table."""
    query = SIZES_OF_FILES if survey.copied is not None else SIZES
    rows = survey.rows(SIZES_OF_TABLES.part, query)
    found = {joined(schema, name): int(size) for schema, name, size in rows}
    return lambda _: found


SIZES_OF_TABLES = Check("sizes of tables", plan_sizes)

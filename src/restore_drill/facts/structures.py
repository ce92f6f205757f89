"""What rows and keys are stored in: tables, indexes, and the indexes of their TOAST tables."""

from __future__ import annotations

from sys import intern
from typing import LiteralString, NamedTuple

from restore_drill.core.units import show_count
from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.survey import Survey, some

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

METHODS = ("heap", "btree", "toast")
"""Access methods that amcheck reads in every version; GIN only newer ones."""
GIN_SINCE = 18

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
        """`storage of table public.cards`."""
        return f"storage of {self.title}"

    @property
    def title(self) -> str:
        """`index public.cards_pkey on public.cards`, or `table public.cards`."""
        return f"index {self.name} on {self.table}" if self.table else f"table {self.name}"


def read_structures(survey: Survey) -> list[Structure]:
    """Tables and indexes that amcheck can read; the others are not checked."""
    found = [
        Structure(intern(name), intern(table), intern(method), *more)
        for name, table, method, *more in survey.rows("storage", STRUCTURES)
    ]
    methods = (*METHODS, "gin") if survey.major >= GIN_SINCE else METHODS
    others = [each for each in found if each.method not in methods]
    if others:
        unknown = ", ".join(sorted({each.method for each in others}))
        names = some([each.name for each in others])
        what = f"storage of {show_count(len(others), 'relation')}: {names}"
        why = f"amcheck of PostgreSQL {survey.major} does not read {unknown}"
        survey.not_checked.append((what, why))
    return [each for each in found if each.method in methods]

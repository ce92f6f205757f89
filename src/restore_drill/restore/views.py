"""Materialized views of a split restore: refreshed side by side where none can read another.

A view that reads another is refreshed behind it, as in the dump. One of which the catalog does not
prove what it reads waits for all before it, and all behind it wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from restore_drill.backups.plaindump.entries import DEFERRABLE, VIEW_DATA
from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.names import parts
from restore_drill.backups.plaindump.statements import REFRESH
from restore_drill.restore.pool import Pool, Task
from restore_drill.restore.relations import Name, query
from restore_drill.restore.session import Session
from restore_drill.restore.steps import Settings, in_turn
from restore_drill.restore.table_work import Tables

VIEWS = """
WITH RECURSIVE rule AS (
    SELECT r.oid, r.ev_class, r.ev_action::text AS tree FROM pg_catalog.pg_rewrite r
    WHERE r.ev_class >= 16384 AND r.ev_type = '1'
), reading AS (
    SELECT rule.ev_class AS reader, read[1]::oid AS read
    FROM rule, pg_catalog.regexp_matches(tree, ':relid ([0-9]+)', 'g') read
  UNION
    SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits
), reach AS (
    SELECT c.oid AS view, c.oid AS read FROM pg_catalog.pg_class c WHERE c.relkind = 'm'
  UNION
    SELECT reach.view, reading.read FROM reach JOIN reading ON reading.reader = reach.read
), made AS (
    SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass AS class, oid, ev_class AS of FROM rule
  UNION ALL
    -- A refresh builds the indexes of its view anew.
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, indexrelid, indrelid
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid AND c.relkind = 'm'
), doubtful AS (
    -- What is read as something else than the rows of a table or a view.
    SELECT c.oid FROM pg_catalog.pg_class c
    WHERE c.oid < 16384 OR c.relrowsecurity OR c.relkind NOT IN ('r', 'p', 'v', 'm')
  UNION ALL
    SELECT a.attrelid FROM pg_catalog.pg_attribute a WHERE a.attgenerated = 'v'
  UNION ALL
    -- Functions of the server itself that may read tables: they change, or write XML.
    SELECT rule.ev_class
    FROM rule, pg_catalog.regexp_matches(tree,
        ':(?:funcid|opfuncid|hashfuncid|negfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') called
    JOIN pg_catalog.pg_proc p ON p.oid = called[1]::oid
    WHERE p.provolatile = 'v' OR p.proname ~ '_to_xml'
  UNION ALL
    -- What was made in the database and calls functions: any but those in C that change nothing.
    SELECT made.of FROM made JOIN pg_catalog.pg_depend d
        ON d.classid = made.class AND d.objid = made.oid
    LEFT JOIN pg_catalog.pg_operator o
        ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
    LEFT JOIN pg_catalog.pg_proc p ON p.oid = CASE d.refclassid
        WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN d.refobjid ELSE o.oprcode END
    LEFT JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_catalog.pg_type t
        ON d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = d.refobjid
    WHERE NOT CASE d.refclassid
        WHEN 'pg_catalog.pg_class'::pg_catalog.regclass THEN true
        WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass THEN true
        WHEN 'pg_catalog.pg_collation'::pg_catalog.regclass THEN true
        WHEN 'pg_catalog.pg_type'::pg_catalog.regclass
            THEN t.typtype = 'e' OR t.typtype = 'b' AND t.typelem = 0
        ELSE coalesce(l.lanname = 'c' AND p.provolatile = 'i', false) END
)
SELECT n.nspname, c.relname, c.oid, pg_catalog.string_agg(reach.read::text, ' '),
    pg_catalog.bool_or(reach.read IN (SELECT oid FROM doubtful))
FROM reach JOIN pg_catalog.pg_class c ON c.oid = reach.view
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
GROUP BY n.nspname, c.relname, c.oid
"""
"""Of each materialized view all that it reads, through other views too, and whether that may not
be all. A tree names every relation and function; what belongs to the server has no dependencies.
No backslash: a dump may say that it means something in a string."""


@dataclass(frozen=True)
class View:
    """A materialized view and the oids of all that it reads, itself too, as far as known."""

    oid: bytes
    reads: frozenset[bytes]
    is_doubtful: bool

    def concerns(self, other: View) -> bool:
        """Whether the order of the two may matter."""
        is_read = self.oid in other.reads or other.oid in self.reads
        return is_read or self.is_doubtful or other.is_doubtful


class Views:
    """Submits what refreshes the views, once all that stands before them in the dump is there.

    `settle` waits for everything that was begun or put off.
    """

    def __init__(
        self, pool: Pool, tables: Tables, main: Session, settle: Callable[[], None]
    ) -> None:
        """Start with none; `main` reads the catalog, `tables` say how much is read."""
        self.pool, self.tables, self.main, self.settle = pool, tables, main, settle
        self.known: dict[Name, View] | None = None
        self.begun: list[tuple[View, Task]] = []

    def meet(self, kind: str) -> None:
        """An entry of this `kind` begins: what changes tables comes behind the views before it."""
        if self.known is not None and kind != VIEW_DATA and kind not in DEFERRABLE:
            self.settle()
            self.known, self.begun = None, []

    def take(self, kind: str, statements: list[Statement], settings: Settings) -> bool:
        """Submit an entry; False, and nothing done, where it does not refresh a view alone."""
        found = REFRESH.fullmatch(statements[0].sql) if kind == VIEW_DATA else None
        if not found or len(statements) > 1:
            return False
        if self.known is None:
            self.settle()
            self.known = read_views(self.main)
        view = self.known.get(parts(found["view"]))
        if view is None:
            self.known, self.begun = None, []
            return False
        task = self.pool.submit(
            in_turn(statements, settings),
            weight=sum(self.tables.by_oid[oid].effort for oid in view.reads),
            after=[task for other, task in self.begun if view.concerns(other)],
        )
        self.begun.append((view, task))
        return True


def read_views(session: Session) -> dict[Name, View]:
    """All materialized views there are, by name in the encoding of `session`."""
    return {
        (schema, name): View(oid, frozenset(reads.split()), doubtful != b"f")
        for schema, name, oid, reads, doubtful in query(session, VIEWS)
    }

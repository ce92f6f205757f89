"""What the catalog says of a table that INSERTs fill: which of them may become COPY."""

from __future__ import annotations

from collections.abc import Sequence

from restore_drill.backups.plaindump.events import Inserts
from restore_drill.backups.plaindump.names import parts
from restore_drill.backups.plaindump.runs import ENDS
from restore_drill.backups.plaindump.statements import INSERT
from restore_drill.restore.as_copy import AsCopy, Column
from restore_drill.restore.given import are_given
from restore_drill.restore.relations import Table, query
from restore_drill.restore.session import Session

COLUMNS = """
WITH RECURSIVE based AS (
    SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
    SELECT b.attnum, t.typbasetype, greatest(b.modifier, t.typtypmod)
    FROM based b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype = 'd'
)
SELECT a.attname, b.type, a.attgenerated <> '', a.attidentity = 'a',
    -- Whether a type of its own reads its modifier as a cast does is up to its extension.
    b.type >= 16384 AND b.modifier <> -1, c.relhasindex
FROM based b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
JOIN pg_catalog.pg_attribute a ON a.attrelid = {oid} AND a.attnum = b.attnum
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
ORDER BY a.attnum
"""
CONFLICT, PLAIN = ENDS


class InsertedTable:
    """The `table`, as `session` sees it."""

    def __init__(self, session: Session, table: Table) -> None:
        """Ask the catalog."""
        self.table = table
        found = query(session, COLUMNS.format(oid=int(table.oid)))
        self.columns = [
            Column(name, int(kind), *(each == b"t" for each in flags))
            for name, kind, *flags, _ in found
        ]
        self.has_index = any(row[-1] == b"t" for row in found)
        self.is_overlapping = session.is_overlapping
        self.escapes = session.escapes
        # Where the server may find other ends of statements, each is to go alone.
        self.is_alone = session.is_alone and (self.escapes or self.is_overlapping)
        warns = session.settings.get(b"escape_string_warning", b"on")
        self.may_warn = self.escapes and b"off" not in warns

    def as_copy(self, head: bytes) -> AsCopy | None:
        """How the rows of INSERTs that begin with `head` go as COPY.

        None unless they give a value to each column that is not generated.
        """
        target = INSERT.match(head)
        columns = self.columns_of(head)
        is_odd = any(column.is_odd for column in columns) or self.may_warn
        if not (target and columns) or is_odd or self.is_overlapping:
            return None
        has_always = any(column.is_always for column in columns)
        if has_always and b" OVERRIDING SYSTEM VALUE " not in head:
            return None
        plain = [column.name for column in columns if not column.is_generated]
        listed = b", ".join(b'"' + name.replace(b'"', b'""') + b'"' for name in plain)
        into = b"COPY " + target["table"] + b" (" + listed + b") FROM stdin"
        # Without an index nothing can conflict.
        ends = (PLAIN,) if self.has_index else ENDS
        return AsCopy(columns, head, into, self.escapes, ends) if plain else None

    def columns_of(self, head: bytes) -> list[Column]:
        """Columns that INSERTs with this `head` name, in their order, all where they name none.

        None at all where one is missing that rows must have.
        """
        target = INSERT.match(head)
        if target is None or not target["columns"]:
            return self.columns if target else []
        by_name = {column.name: column for column in self.columns if not column.is_generated}
        names = parts(head[target.end("table") : head.rindex(b") ")])
        return [by_name[name] for name in names] if sorted(names) == sorted(by_name) else []

    def may_repeat(self, pieces: Sequence[Inserts]) -> bool:
        """Whether statements that fail leave nothing behind: no default that counts is taken."""
        return not self.is_alone and all(
            are_given(piece, self.table, escapes=self.escapes) and b"\0" not in piece.data
            for piece in pieces
        )

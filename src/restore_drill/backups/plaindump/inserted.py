"""The rows that INSERTs of a dump hold."""

from __future__ import annotations

from typing import NamedTuple

from restore_drill.backups.plaindump.events import Inserts
from restore_drill.backups.plaindump.statements import INSERT


class Filled(NamedTuple):
    """Table that an INSERT fills, as it stands there, with how many rows; or with those of a query.

    It has no name where it cannot be read, or where no INSERT is at its end yet. `is_listed` says
    that it names its columns.
    """

    table: bytes
    rows: int
    is_query: bool = False
    is_listed: bool = False


class Inserted:
    """Counts the rows of INSERTs; `begun` is the line of the last one that came in pieces."""

    def __init__(self) -> None:
        """Start with no statement begun."""
        self.begun = self.pending = 0

    def piece(self, event: Inserts, head: bytes) -> Filled:
        """Rows of all statements that end in `event`, whose `head` is given in UTF-8.

        Those of a statement count where it ends: one that is cut brings none.
        """
        if not event.is_rest:
            self.begun, self.pending = event.line, 0
        rows = self.pending + event.rows
        self.pending = 0 if event.statements else rows
        target = INSERT.match(head) if event.statements else None
        if target is None:
            return Filled(b"", rows)
        return Filled(target["table"], rows, is_listed=bool(target["columns"]))

    def statement(self, sql: bytes, groups: int) -> Filled:
        """Rows of one statement: its outermost parentheses, less the list of columns."""
        target = INSERT.match(sql)
        if not target:
            return Filled(b"", 0, is_query=True)
        rows = max(groups - bool(target["columns"]), 0)
        rows += (target["rows"] or b"").upper() == b"DEFAULT"
        return Filled(
            target["table"], rows, is_query=not target["rows"], is_listed=bool(target["columns"])
        )

"""The INSERTs of a split restore: those of each table as a task for one of the connections."""

from __future__ import annotations

from restore_drill.backups.plaindump.events import Event, Inserts, Statement
from restore_drill.backups.plaindump.names import dotted
from restore_drill.backups.plaindump.statements import INSERT
from restore_drill.restore import loader as sizes
from restore_drill.restore.fill import Fill
from restore_drill.restore.filling import Filling
from restore_drill.restore.given import are_given
from restore_drill.restore.loader import Loader
from restore_drill.restore.ranges import FIRST
from restore_drill.restore.relations import Catalog, Table
from restore_drill.restore.session import Session
from restore_drill.restore.steps import Settings


class Filler:
    """Gives the INSERTs of one dump to the connections that `loader` gives its other rows to."""

    def __init__(self, loader: Loader, catalog: Catalog) -> None:
        """Start with no table begun."""
        self.loader, self.catalog = loader, catalog
        self.current: Filling | None = None
        self.next_line = 0
        self.has_begun = False

    def take(self, event: Event, place: int, settings: Settings | None) -> bool:
        """Whether `event`, up to offset `place` of the dump, are INSERTs that a connection takes.

        Any other one ends those before. None is taken without the `settings` of their place.
        """
        if not (isinstance(event, Inserts | Statement) and settings is not None):
            self.end()
            return False
        target = INSERT.match(event.head if isinstance(event, Inserts) else event.sql)
        table = self.catalog.table(target["table"]) if target else None
        is_rest = isinstance(event, Inserts) and event.is_rest
        if not (target and table and (self.current if is_rest else table.is_parallel_safe)):
            self.end()
            return False
        if not are_given(event, table, escapes=self.catalog.session.escapes):
            if self.current is None or not is_rest:
                self.end()
                return False
            self.current.is_given = False
        self.add(event, place, table, target["table"], settings)
        return True

    def add(
        self,
        event: Inserts | Statement,
        place: int,
        table: Table,
        name: bytes,
        settings: Settings,
    ) -> None:
        """Take in INSERTs into `table`, which end at offset `place` of the dump."""
        filling = self.current
        if filling is None or filling.table != table:
            self.end()
            filling = Filling(event.line, table, name, self.loader.blocks.new(), settings)
            self.current, self.next_line, self.has_begun = filling, event.line, True
        data = event.data if isinstance(event, Inserts) else event.sql
        self.loader.blocks.add_apart(filling.block, data, place, event.line - self.next_line)
        self.next_line = event.line + data.count(b"\n")
        if filling.block.size >= sizes.MB and self.loader.pool.is_hungry:
            self.submit(filling, FIRST)

    def end(self) -> None:
        """No more INSERTs come into the table that was begun, if one was.

        Where the last piece of a statement has shown that it takes defaults, nothing goes on
        before it has: those of two tables may be the values of one sequence.
        """
        filling, self.current = self.current, None
        if filling is None:
            return
        filling.block.end()
        rows = self.loader.counts.get(dotted(filling.name).encode(), 0)
        self.loader.keys.tables.count(filling.table, filling.block.size, rows)
        self.submit(filling, filling.block.size)
        if not filling.is_given:
            self.loader.pool.drain(lambda: None)

    def submit(self, filling: Filling, weight: int) -> None:
        """Let a connection fill the table, if none does already, and after what it holds so far."""
        if filling.is_submitted:
            return
        filling.is_submitted = True
        table = filling.table

        def fill(session: Session) -> None:
            is_big = table.is_plain and filling.block.size >= sizes.FRESH_SIZE
            Fill(session, filling).run(fresh=is_big)

        self.loader.give(table, fill, weight)

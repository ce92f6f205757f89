"""The rows of a split restore: each COPY of the dump as a task for one of the connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from restore_drill.backups.plaindump.events import CopyData, CopyEnd, Cut, Statement
from restore_drill.backups.plaindump.names import dotted
from restore_drill.restore.blocks import Block, Blocks
from restore_drill.restore.keys import KeyBuilder
from restore_drill.restore.pool import Pool
from restore_drill.restore.relations import Table
from restore_drill.restore.session import Session
from restore_drill.restore.steps import Settings

MB = 1_000_000
FRESH_SIZE = MB
"""Bytes of rows from which on a table is truncated before it is loaded, to write no WAL."""
FIRST = 1 << 60
"""Weight of a block whose size is not known yet."""


@dataclass
class Loading:
    """A COPY whose rows come in, with the settings of its place; `name` is the table's in SQL."""

    statement: Statement
    table: Table
    name: bytes
    block: Block
    settings: Settings
    is_submitted: bool = False


class Loader:
    """Gives the rows of one dump to the connections of `pool`; `keys` are to wait for them.

    `counts` are the rows of its tables, as far as known: they say what is worth doing first.
    """

    def __init__(
        self, pool: Pool, blocks: Blocks, keys: KeyBuilder, counts: Mapping[bytes, int]
    ) -> None:
        """Start with no COPY begun."""
        self.pool, self.blocks, self.keys, self.counts = pool, blocks, keys, counts
        self.current: Loading | None = None

    def begin(self, copy: Statement, table: Table, name: bytes, settings: Settings) -> None:
        """The rows of `copy` come next."""
        self.current = Loading(copy, table, name, self.blocks.new(), settings)

    def take(self, event: CopyData | CopyEnd | Cut, place: int) -> None:
        """Take in rows of the current COPY, which end at offset `place` of the dump, or its end."""
        loading = self.current
        assert loading is not None
        if isinstance(event, CopyData):
            self.blocks.add(loading.block, event.data, place)
            if loading.block.size >= MB and self.pool.is_hungry:
                self.submit(loading, FIRST)
            return
        loading.block.end(cut=isinstance(event, Cut))
        rows = self.counts.get(dotted(loading.name).encode(), 0)
        self.keys.tables.count(loading.table, loading.block.size, rows)
        self.submit(loading, loading.block.size)
        self.current = None

    def submit(self, loading: Loading, weight: int) -> None:
        """Let a connection load the table, if none does already."""
        if loading.is_submitted:
            return
        loading.is_submitted = True
        table = loading.table

        def load(session: Session) -> None:
            session.apply(loading.settings)
            is_big = table.is_plain and loading.block.size >= FRESH_SIZE
            session.load(loading.statement, loading.block, fresh=loading.name if is_big else b"")

        task = self.pool.submit(load, weight=weight, alone=[table.oid])
        self.keys.loading(table, task)

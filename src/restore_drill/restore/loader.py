"""The rows of a split restore: each COPY of the dump as a task for one of the connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from restore_drill.backups.plaindump.events import CopyData, CopyEnd, Cut, Statement
from restore_drill.backups.plaindump.names import dotted
from restore_drill.restore.blocks import Block, Blocks
from restore_drill.restore.keys import KeyBuilder
from restore_drill.restore.pool import Pool, Work
from restore_drill.restore.ranges import FIRST, RangedLoad, hands_for
from restore_drill.restore.relations import Table
from restore_drill.restore.session import Session
from restore_drill.restore.steps import Settings

MB = 1_000_000
FRESH_SIZE = MB
"""Bytes of rows from which on a table is truncated before it is loaded, to write no WAL."""


@dataclass
class Loading:
    """A COPY whose rows come in, with the settings of its place; `name` is the table's in SQL."""

    statement: Statement
    table: Table
    name: bytes
    block: Block
    settings: Settings
    rows: int = 0
    is_submitted: bool = False


class Loader:
    """Gives the rows of one dump to the connections of `pool`; `keys` are to wait for them.

    `counts` are the rows of its tables, as far as known, `total` the bytes of all that is in it:
    they say what is worth doing first, and over several connections.
    """

    def __init__(
        self, pool: Pool, blocks: Blocks, keys: KeyBuilder, counts: Mapping[bytes, int], total: int
    ) -> None:
        """Start with no COPY begun."""
        self.pool, self.blocks, self.keys, self.counts = pool, blocks, keys, counts
        self.total = total
        self.target = pool.sessions[0].restoration.target
        self.current: Loading | None = None

    def begin(self, copy: Statement, table: Table, name: bytes, settings: Settings) -> None:
        """The rows of `copy` come next."""
        self.current = Loading(copy, table, name, self.blocks.new(), settings)

    def take(self, event: CopyData | CopyEnd | Cut, place: int) -> None:
        """Take in rows of the current COPY, which end at offset `place` of the dump, or its end."""
        loading = self.current
        assert loading is not None
        if isinstance(event, CopyData):
            if event.passed:
                self.blocks.pass_over(loading.block, event.passed, place)
            else:
                self.blocks.add(loading.block, event.data, place)
            loading.rows += event.rows
            if loading.block.size >= MB and self.pool.is_hungry:
                self.submit(loading, FIRST)
            return
        loading.block.end(cut=isinstance(event, Cut))
        self.keys.tables.count(loading.table, loading.block.size, self.rows(loading))
        self.submit(loading, loading.block.size)
        self.current = None

    def submit(self, loading: Loading, weight: int) -> None:
        """Let a connection load the table, if none does already."""
        if loading.is_submitted:
            return
        loading.is_submitted = True
        hands = self.hands(loading)
        work = partial(load, loading) if hands < 2 else self.ranged(loading, hands).lead
        self.give(loading.table, work, weight)

    def give(self, table: Table, work: Work, weight: int) -> None:
        """Let a connection do `work`, which loads `table`, after what loads it already."""
        before = self.keys.tables.of(table).loads
        task = self.pool.submit(work, weight=weight, alone=[table.oid], after=before)
        self.keys.loading(table, task)

    def rows(self, loading: Loading) -> int:
        """Rows of the table, as far as they are known."""
        return self.counts.get(dotted(loading.name).encode(), 0)

    def hands(self, loading: Loading) -> int:
        """How many connections are to load it."""
        if not (loading.table.is_single and self.target.throwaway):
            return 1
        size = loading.block.size
        size = max(size, size * self.rows(loading) // max(1, loading.rows))
        return hands_for(size, self.total, len(self.pool.sessions))

    def ranged(self, loading: Loading, hands: int) -> RangedLoad:
        """Load it over so many connections."""
        return RangedLoad(
            self.pool,
            loading.statement,
            loading.table,
            loading.name,
            loading.block,
            loading.settings,
            hands,
        )


def load(loading: Loading, session: Session) -> None:
    """Load it over one connection."""
    session.apply(loading.settings)
    is_big = loading.table.is_plain and loading.block.size >= FRESH_SIZE
    session.load(loading.statement, loading.block, fresh=loading.name if is_big else b"")

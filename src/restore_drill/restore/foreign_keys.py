"""Foreign keys of a plain dump, as tasks: those of big tables are validated side by side."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.statements import FOREIGN_KEY
from restore_drill.restore.pool import Pool
from restore_drill.restore.relations import Lookup, Table
from restore_drill.restore.steps import ForeignKeyInSteps, Settings, in_turn
from restore_drill.restore.table_work import Tables


class ForeignKey(NamedTuple):
    """A foreign key from `table` to `parent` that is to be added and validated."""

    steps: ForeignKeyInSteps
    table: Table
    parent: Table


class ForeignKeys:
    """Submits foreign keys, each behind the rows of both its tables and the keys of its parent.

    Those of big tables are `waiting` until all is known that what they wait for depends on.
    """

    def __init__(self, pool: Pool, tables: Tables) -> None:
        """Submit to `pool`, behind the work on `tables`."""
        self.pool, self.tables = pool, tables
        self.waiting: list[ForeignKey] = []

    def take(self, statement: Statement, settings: Settings, lookup: Lookup) -> bool:
        """Submit the foreign key of `statement`; False, and nothing done, where it is none."""
        key = FOREIGN_KEY.fullmatch(statement.sql)
        table = lookup(key["table"]) if key else None
        parent = lookup(key["parent"]) if key else None
        if not (key and table and parent):
            return False
        if not key["not_valid"] and self.tables.is_big(table) and parent.is_single:
            steps = ForeignKeyInSteps(statement, key, settings)
            self.waiting.append(ForeignKey(steps, table, parent))
            return True
        task = self.pool.submit(
            in_turn([statement], settings),
            weight=self.tables.weight(table),
            alone=table.family | parent.family,
            after=self.tables.before_foreign_key(table, parent),
        )
        self.tables.of(table).foreign_keys.append(task)
        return True

    def submit(self) -> None:
        """Submit the foreign keys of big tables.

        Those of one table are validated one after the other, which is what takes longest: all that
        they wait for goes first.
        """
        waiting, self.waiting = self.waiting, []
        chains = Counter[bytes]()
        for each in waiting:
            chains[each.table.oid] += self.tables.weight(each.table)
        for steps, table, parent in waiting:
            weight = chains[table.oid]
            after = self.tables.before_foreign_key(table, parent)
            index = self.tables.index_on(steps.columns, table)
            steps.by_index = bool(index)
            first = [*after, *index, *self.tables.of(parent).key_builds]
            self.pool.add_weight(first, weight)
            both = [table.oid, parent.oid]
            task = self.pool.submit(steps.add, weight=1 << 60, alone=both, after=after)
            self.tables.of(table).foreign_keys.append(task)
            self.pool.submit(
                steps.validate,
                weight=weight + self.tables.weight(table),
                alone=[table.oid],
                shared=[parent.oid],
                after=[task, *index],
            )

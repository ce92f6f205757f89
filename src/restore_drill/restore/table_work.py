"""What a split restore knows of its tables: how much of them there is, and who works on them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from restore_drill.backups.plaindump import statements as patterns
from restore_drill.backups.plaindump.events import Statement
from restore_drill.restore.pool import Task
from restore_drill.restore.relations import Table

ROW = 600
"""Bytes of a table that are read in the time that one row takes to be sorted into an index."""
BIG = 1_000_000
"""Bytes of rows from which on two steps are worth their overhead."""

DEAR = {b"gin": 6.0, b"gist": 6.0, b"spgist": 4.0}
"""How many times as long as a btree an index of another kind takes, as measured: it goes first."""
IN_ORDER = 0.5
"""The same for a key, by which the rows mostly lie in order."""


class IndexBuild(NamedTuple):
    """Task that builds an index, and what it indexes: `btree (id)`."""

    keys: bytes
    task: Task


@dataclass
class TableWork:
    """The tasks of one table.

    `loads` bring its rows; `keys` may make a key of it, in the dump's order; `key_builds` build the
    indexes of such keys; `foreign_keys` add its foreign keys; `indexes` build its indexes. `size`
    are the bytes of its rows, `effort` what an index on them takes, in bytes that are read.
    """

    loads: list[Task] = field(default_factory=list)
    keys: list[Task] = field(default_factory=list)
    key_builds: list[Task] = field(default_factory=list)
    foreign_keys: list[Task] = field(default_factory=list)
    indexes: list[IndexBuild] = field(default_factory=list)
    size: int = 0
    effort: int = 0


class Tables:
    """The work on each table, by oid."""

    def __init__(self) -> None:
        """Start with none."""
        self.by_oid: defaultdict[bytes, TableWork] = defaultdict(TableWork)

    def of(self, table: Table) -> TableWork:
        """Work on `table` itself."""
        return self.by_oid[table.oid]

    def family(self, table: Table) -> list[TableWork]:
        """Work on `table` and on what inherits from it."""
        return [self.by_oid[oid] for oid in table.family]

    def count(self, table: Table, size: int, rows: int) -> None:
        """Note that `size` bytes and `rows` rows of `table` are in the dump."""
        self.of(table).size += size
        self.of(table).effort += size + ROW * rows

    def weight(self, table: Table) -> int:
        """What an index on `table` and what inherits from it takes, in bytes that are read."""
        return sum(work.effort for work in self.family(table))

    def is_big(self, table: Table) -> bool:
        """Whether two steps are worth their overhead, and possible: one table, no partitions."""
        return table.is_single and self.of(table).size >= BIG

    def loads(self, table: Table) -> list[Task]:
        """What brings the rows of `table` and of what inherits from it."""
        return [task for work in self.family(table) for task in work.loads]

    def before_foreign_key(self, table: Table, parent: Table) -> list[Task]:
        """What a foreign key from `table` to `parent` waits for: rows, keys, those before it."""
        earlier = [task for work in self.family(table) for task in work.foreign_keys]
        keys = [task for work in self.family(parent) for task in work.keys]
        return [*self.loads(table), *earlier, *self.loads(parent), *keys]

    def index_on(self, columns: bytes, table: Table) -> list[Task]:
        """Task that builds an index which sorts `table` by `columns`, if there is one."""
        indexes = self.of(table).indexes
        return [each.task for each in indexes if patterns.sorts_by(columns, each.keys)][:1]


def dear(keys: bytes) -> float:
    """How many times as long as a btree an index on `keys` takes."""
    return DEAR.get(keys.partition(b" ")[0], 1)


def are_details(statements: list[Statement], table: bytes) -> bool:
    """Whether all `statements` settle details of an index of `table`, as its entry may do."""
    found = [patterns.INDEX_DETAIL.fullmatch(statement.sql) for statement in statements]
    return all(detail and detail["table"] == table for detail in found)

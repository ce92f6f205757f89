"""Indexes and keys of a plain dump, as tasks that wait for nothing but their tables.

A key of a big table is built as an index first, beside the table's other indexes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from restore_drill.backups.plaindump import statements as patterns
from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.names import parts
from restore_drill.restore.foreign_keys import ForeignKeys
from restore_drill.restore.pool import Pool, Task, Work
from restore_drill.restore.relations import Lookup, Name, Table
from restore_drill.restore.steps import KeyInSteps, Settings, in_turn
from restore_drill.restore.table_work import IN_ORDER, IndexBuild, Tables, are_details, dear

LOAD = 20
"""Bytes of a table that are read in the time that one byte takes to be loaded."""
ATTACHING = b"attaching"
"""Held by each attachment: one that makes an index valid looks at all that are above it, and two at
once, of two levels, would each miss the other's: the uppermost index stayed invalid.
"""
EMPTY_SEARCH_PATH = b"SELECT pg_catalog.set_config('search_path', '', false);"


class Index(NamedTuple):
    """An index of a table, and the task that builds it."""

    table: Table
    task: Task


class BuiltKey(NamedTuple):
    """A key of a table whose index the task `built` builds, and that is to be added."""

    steps: KeyInSteps
    table: Table
    built: Task


class KeyBuilder:
    """Submits the entries of the post-data section that belong to one table or two."""

    def __init__(self, pool: Pool) -> None:
        """Submit to `pool`."""
        self.pool = pool
        self.tables = Tables()
        self.indexes: dict[Name, Index] = {}
        self.built_keys: list[BuiltKey] = []
        self.foreign_keys = ForeignKeys(pool, self.tables)
        self.others: list[Task] = []
        self.loaded: Task | None = None

    def also_wait_for(self, task: Task) -> None:
        """Remember that `task` loads what is no table: functions may read large objects."""
        self.others.append(task)
        self.loaded = None

    def loading(self, table: Table, task: Task) -> None:
        """Remember that `task` loads `table`."""
        self.tables.of(table).loads.append(task)
        self.loaded = None

    def build(self, work: Work, table: Table, times: float, **rules: Any) -> Task:
        """Submit `work` on all rows of `table`, with the `rules` for when it may run.

        It takes so many `times` what it takes to sort them.
        """
        weight = int(self.tables.weight(table) * times)
        return self.pool.submit(work, weight=weight, cost=weight // LOAD, **rules)

    def take(
        self, kind: str, statements: list[Statement], settings: Settings, lookup: Lookup
    ) -> bool:
        """Submit an entry; False, and nothing done, where it is none that can leave its place."""
        takers = {
            "CONSTRAINT": self.constraint,
            "INDEX": self.index,
            "INDEX ATTACH": self.attach,
            "FK CONSTRAINT": self.foreign_key,
        }
        return kind in takers and takers[kind](statements, settings, lookup)

    def finish(self) -> None:
        """Submit all second steps."""
        self.add_keys()
        self.foreign_keys.submit()

    def index_name(self, table: bytes, name: bytes) -> Name:
        """Name of an index `name` of `table`: it lies in the table's schema."""
        return (*parts(table)[:-1], *parts(name))

    def constraint(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit a primary key or unique constraint, in the order of the table's keys."""
        key = patterns.CONSTRAINT.fullmatch(statements[0].sql)
        table = lookup(key["table"]) if key else None
        if not (key and table and are_details(statements[1:], key["table"])):
            return not key and self.exclusion(statements, settings, lookup)
        own, loads = self.tables.of(table), self.tables.loads(table)
        if len(statements) > 1 or key["nulls"] or key["rest"] or not self.tables.is_big(table):
            work = in_turn(statements, settings)
            task = self.build(work, table, IN_ORDER, alone=table.family, after=[*loads, *own.keys])
            own.keys.append(task)
        else:
            steps = KeyInSteps(statements[0], key, settings)
            task = self.build(steps.build, table, IN_ORDER, shared=[table.oid], after=loads)
            own.key_builds.append(task)
            self.built_keys.append(BuiltKey(steps, table, task))
        self.indexes[self.index_name(key["table"], key["name"])] = Index(table, task)
        own.indexes.append(IndexBuild(b"btree " + key["columns"], task))
        return True

    def exclusion(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit an exclusion constraint, which looks each row up in its index."""
        found = patterns.EXCLUSION.fullmatch(statements[0].sql)
        table = lookup(found["table"]) if found else None
        if not (found and table and are_details(statements[1:], found["table"])):
            return False
        own, work = self.tables.of(table), in_turn(statements, settings)
        after = [*self.before_index(found["keys"], table, settings), *own.keys]
        task = self.build(work, table, dear(found["keys"]), alone=table.family, after=after)
        own.keys.append(task)
        self.indexes[self.index_name(found["table"], found["name"])] = Index(table, task)
        return True

    def add_keys(self) -> None:
        """Submit what makes keys of the indexes that were built for them."""
        built_keys, self.built_keys = self.built_keys, []
        for each in built_keys:
            own = self.tables.of(each.table)
            task = self.pool.submit(
                each.steps.add_using_index,
                weight=self.tables.weight(each.table),
                alone=[each.table.oid],
                after=[each.built, *own.keys],
            )
            own.keys.append(task)

    def index(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit an index; one that may call the database's own code waits for all rows."""
        index = patterns.INDEX.fullmatch(statements[0].sql)
        table = lookup(index["table"]) if index else None
        if not (index and table and are_details(statements[1:], index["table"])):
            return False
        after = self.before_index(index["keys"], table, settings)
        name = self.index_name(index["table"], index["name"])
        if name in self.indexes:
            after.append(self.indexes[name].task)
        tables = {"alone" if len(statements) > 1 else "shared": table.family}
        work = in_turn(statements, settings)
        task = self.build(work, table, dear(index["keys"]), after=after, **tables)
        self.indexes[name] = Index(table, task)
        self.tables.of(table).indexes.append(IndexBuild(index["keys"], task))
        if index["unique"]:
            self.tables.of(table).keys.append(task)
        return True

    def before_index(self, keys: bytes, table: Table, settings: Settings) -> list[Task]:
        """What an index on `keys` waits for: one that may call the database's own code for all."""
        search_path = settings.get(b"search_path", b"").strip()
        is_free = not patterns.calls_user_code(keys) and search_path == EMPTY_SEARCH_PATH
        return [*self.tables.loads(table), *([] if is_free else [self.all_loaded()])]

    def all_loaded(self) -> Task:
        """Task that is done when all rows are loaded."""
        if self.loaded is None:
            loads = [task for work in self.tables.by_oid.values() for task in work.loads]
            self.loaded = self.pool.submit(lambda _: None, after=[*loads, *self.others])
        return self.loaded

    def attach(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit the attachment of a partition's index, behind both indexes."""
        del lookup
        found = patterns.ATTACH.fullmatch(statements[0].sql)
        if not found or len(statements) > 1:
            return False
        self.add_keys()
        parent = self.indexes.get(parts(found["parent"]))
        child = self.indexes.get(parts(found["child"]))
        if not (parent and child):
            return False
        whole, part = self.tables.of(parent.table), self.tables.of(child.table)
        task = self.pool.submit(
            in_turn(statements, settings),
            alone=[parent.table.oid, child.table.oid, ATTACHING],
            after=[parent.task, child.task, *whole.keys, *part.keys],
        )
        whole.keys.append(task)
        part.keys.append(task)
        return True

    def foreign_key(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit a foreign key, behind the keys that it may refer to."""
        self.add_keys()
        return len(statements) == 1 and self.foreign_keys.take(statements[0], settings, lookup)

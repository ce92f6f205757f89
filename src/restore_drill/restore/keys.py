"""Indexes, keys and foreign keys of a plain dump, as tasks that wait for nothing but their tables.

A key of a big table is built as an index first, beside the table's other indexes; foreign keys are
added at once and validated side by side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from restore_drill.backups.plaindump.events import Statement
from restore_drill.restore import entries
from restore_drill.restore.pool import Pool, Task, Work
from restore_drill.restore.relations import Name, Table, parts
from restore_drill.restore.steps import KeyInSteps, Proof, Settings, in_turn

Lookup = Callable[[bytes], Table | None]
ROW = 600
"""Bytes of a table that are read in the time that one row takes to be sorted into an index."""
LOAD = 20
"""Bytes of a table that are read in the time that one byte takes to be loaded."""
BIG = 1_000_000
"""Bytes of rows from which on two steps are worth their overhead."""
EMPTY_SEARCH_PATH = b"SELECT pg_catalog.set_config('search_path', '', false);"


def is_single(table: Table) -> bool:
    """Whether it is a plain table from which none inherits."""
    return table.is_plain and len(table.family) == 1


def are_details(statements: list[Statement], table: bytes) -> bool:
    """Whether all `statements` settle details of an index of `table`, as its entry may do."""
    found = [entries.INDEX_DETAIL.fullmatch(statement.sql) for statement in statements]
    return all(detail and detail["table"] == table for detail in found)


class KeyBuilder:
    """Submits the entries behind the data that belong to one table or two.

    By table (oid) it knows `loads`, the tasks that bring its rows; `keys`, those that may make a
    key of it, in the dump's order; `builds`, those that build the indexes of such keys; `foreign`,
    those that add its foreign keys; `sorted`, those that build its indexes, with what they index;
    `size`, the bytes of its rows; `effort`, what an index on them takes, in bytes that are read.
    """

    def __init__(self, pool: Pool) -> None:
        """Submit to `pool`."""
        self.pool = pool
        self.loads: defaultdict[bytes, list[Task]] = defaultdict(list)
        self.keys: defaultdict[bytes, list[Task]] = defaultdict(list)
        self.builds: defaultdict[bytes, list[Task]] = defaultdict(list)
        self.foreign: defaultdict[bytes, list[Task]] = defaultdict(list)
        self.sorted: defaultdict[bytes, list[tuple[bytes, Task]]] = defaultdict(list)
        self.size: Counter[bytes] = Counter()
        self.effort: Counter[bytes] = Counter()
        self.indexes: dict[Name, tuple[Table, Task]] = {}
        self.adoptions: list[tuple[KeyInSteps, Table, Task]] = []
        self.proofs: list[tuple[Proof, Table, Table]] = []
        self.loaded: Task | None = None

    def count(self, table: Table, size: int, rows: int) -> None:
        """Note that `size` bytes and `rows` rows of `table` are in the dump."""
        self.size[table.oid] += size
        self.effort[table.oid] += size + ROW * rows

    def loading(self, table: Table, task: Task) -> None:
        """Remember that `task` loads `table`."""
        self.loads[table.oid].append(task)
        self.loaded = None

    def weight(self, table: Table) -> int:
        """What an index on `table` and what inherits from it takes, in bytes that are read."""
        return sum(self.effort[oid] for oid in table.family)

    def build(self, work: Work, table: Table, **rules: Any) -> Task:
        """Submit `work`, which sorts all rows of `table`, with the `rules` for when it may run."""
        weight = self.weight(table)
        return self.pool.submit(work, weight=weight, cost=weight // LOAD, **rules)

    def is_big(self, table: Table) -> bool:
        """Whether two steps are worth their overhead, and possible: one table, no partitions."""
        return is_single(table) and self.size[table.oid] >= BIG

    def of_family(self, table: Table, *tasks: dict[bytes, list[Task]]) -> list[Task]:
        """All `tasks` of `table` and what inherits from it."""
        return [task for kind in tasks for oid in table.family for task in kind.get(oid, ())]

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
        self.finish_keys()
        self.prove()

    def index_name(self, table: bytes, name: bytes) -> Name:
        """Name of an index `name` of `table`: it lies in the table's schema."""
        return (*parts(table)[:-1], *parts(name))

    def constraint(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit a primary key or unique constraint, in the order of the table's keys."""
        key = entries.CONSTRAINT.fullmatch(statements[0].sql)
        table = lookup(key["table"]) if key else None
        if not (key and table and are_details(statements[1:], key["table"])):
            return False
        loads = self.of_family(table, self.loads)
        if len(statements) > 1 or key["nulls"] or key["rest"] or not self.is_big(table):
            after = [*loads, *self.keys[table.oid]]
            work = in_turn(statements, settings)
            task = self.build(work, table, alone=table.family, after=after)
            self.keys[table.oid].append(task)
        else:
            steps = KeyInSteps(statements[0], key, settings)
            task = self.build(steps.build, table, shared=[table.oid], after=loads)
            self.builds[table.oid].append(task)
            self.adoptions.append((steps, table, task))
        self.indexes[self.index_name(key["table"], key["name"])] = (table, task)
        self.sorted[table.oid].append((b"btree " + key["columns"], task))
        return True

    def finish_keys(self) -> None:
        """Submit what makes keys of the indexes that were built for them."""
        adoptions, self.adoptions = self.adoptions, []
        for steps, table, built in adoptions:
            after = [built, *self.keys[table.oid]]
            weight = self.weight(table)
            task = self.pool.submit(steps.adopt, weight=weight, alone=[table.oid], after=after)
            self.keys[table.oid].append(task)

    def index(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit an index; one that may call the database's own code waits for all rows."""
        index = entries.INDEX.fullmatch(statements[0].sql)
        table = lookup(index["table"]) if index else None
        if not (index and table and are_details(statements[1:], index["table"])):
            return False
        after = self.of_family(table, self.loads)
        search_path = settings.get(b"search_path", b"").strip()
        if entries.calls_user_code(index["keys"]) or search_path != EMPTY_SEARCH_PATH:
            after.append(self.all_loaded())
        name = self.index_name(index["table"], index["name"])
        if name in self.indexes:
            after.append(self.indexes[name][1])
        tables = {"alone" if len(statements) > 1 else "shared": table.family}
        work = in_turn(statements, settings)
        task = self.build(work, table, after=after, **tables)
        self.indexes[name] = (table, task)
        self.sorted[table.oid].append((index["keys"], task))
        if index["unique"]:
            self.keys[table.oid].append(task)
        return True

    def all_loaded(self) -> Task:
        """Task that is done when all rows are loaded."""
        if self.loaded is None:
            loads = [task for tasks in self.loads.values() for task in tasks]
            self.loaded = self.pool.submit(lambda _: None, after=loads)
        return self.loaded

    def attach(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit the attachment of a partition's index, behind both indexes."""
        del lookup
        found = entries.ATTACH.fullmatch(statements[0].sql)
        if not found or len(statements) > 1:
            return False
        self.finish_keys()
        parent = self.indexes.get(parts(found["parent"]))
        child = self.indexes.get(parts(found["child"]))
        if not (parent and child):
            return False
        (whole, _), (part, _) = parent, child
        after = [parent[1], child[1], *self.keys[whole.oid], *self.keys[part.oid]]
        both = [whole.oid, part.oid]
        task = self.pool.submit(in_turn(statements, settings), alone=both, after=after)
        for oid in both:
            self.keys[oid].append(task)
        return True

    def foreign_key(self, statements: list[Statement], settings: Settings, lookup: Lookup) -> bool:
        """Submit a foreign key, behind the rows of both its tables and the keys of its parent."""
        key = entries.FOREIGN_KEY.fullmatch(statements[0].sql)
        table = lookup(key["table"]) if key else None
        parent = lookup(key["parent"]) if key else None
        if not (key and table and parent and len(statements) == 1):
            return False
        self.finish_keys()
        if not key["unproved"] and self.is_big(table) and is_single(parent):
            self.proofs.append((Proof(statements[0], key, settings), table, parent))
            return True
        task = self.pool.submit(
            in_turn(statements, settings),
            weight=self.weight(table),
            alone=table.family | parent.family,
            after=self.before_foreign_key(table, parent),
        )
        self.foreign[table.oid].append(task)
        return True

    def before_foreign_key(self, table: Table, parent: Table) -> list[Task]:
        """What a foreign key from `table` to `parent` waits for: rows, keys, those before it."""
        loads = self.of_family(table, self.loads, self.foreign)
        return [*loads, *self.of_family(parent, self.loads, self.keys)]

    def prove(self) -> None:
        """Submit the foreign keys of big tables.

        Those of one table are validated one after the other, which is what takes longest: all that
        they wait for goes first.
        """
        proofs, self.proofs = self.proofs, []
        chains = Counter[bytes]()
        for _, table, _ in proofs:
            chains[table.oid] += self.weight(table)
        for proof, table, parent in proofs:
            weight = chains[table.oid]
            after = self.before_foreign_key(table, parent)
            index = self.index_on(proof.columns, table)
            proof.by_index = bool(index)
            self.pool.add_weight([*after, *index, *self.builds[parent.oid]], weight)
            both = [table.oid, parent.oid]
            task = self.pool.submit(proof.add, weight=1 << 60, alone=both, after=after)
            self.foreign[table.oid].append(task)
            self.pool.submit(
                proof.validate,
                weight=weight + self.weight(table),
                alone=[table.oid],
                shared=[parent.oid],
                after=[task, *index],
            )

    def index_on(self, columns: bytes, table: Table) -> list[Task]:
        """Task that builds an index which sorts `table` by `columns`, if there is one."""
        found = [task for keys, task in self.sorted[table.oid] if entries.sorts_by(columns, keys)]
        return found[:1]

"""What the server's own amcheck says of every table and index of a database, catalogs included.

All tables come first: it reads a damaged row calmly, where a query for it may crash the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import LiteralString, NamedTuple

from restore_drill.facts.answers import Outcome
from restore_drill.facts.asking import Asking, Question
from restore_drill.facts.checks import storage
from restore_drill.facts.physical.guard import CRASHED, TIRED, Guard
from restore_drill.facts.physical.relations import Relation
from restore_drill.facts.physical.surviving import surviving
from restore_drill.facts.plan import Plan
from restore_drill.facts.pool import Pool
from restore_drill.facts.session import Connection, open_session
from restore_drill.facts.structures import DEEP, GIN_SINCE
from restore_drill.servers.model import Target

DEEPEST: LiteralString = """CREATE FUNCTION pg_temp.drill_deepest(regclass, boolean, boolean)
    RETURNS void AS '$libdir/amcheck', 'bt_index_parent_check' LANGUAGE C STRICT"""
"""The same check, which can look up each entry from the root."""

BESIDE: LiteralString = """CREATE FUNCTION pg_temp.drill_beside(regclass, boolean)
    RETURNS void AS '$libdir/amcheck', 'bt_index_check' LANGUAGE C STRICT"""
"""A check that goes beside writers: a prepared transaction may hold the locks of one."""
LOCKED = "55P03"
PATIENCE = "SET lock_timeout = '500ms'"

MOST_LOOKED_UP = 1000
"""Pages of an index up to which each entry is looked up from the root too, as it costs the most."""

HEAP = """
    SELECT string_agg(said, '; ') FROM (
        SELECT DISTINCT format('block %s, row %s: %s', blkno, offnum, msg) AS said
        FROM pg_temp.drill_heap({}, true, true, 'none', NULL, NULL) LIMIT 3) found"""

DAMAGE = ("XX", "58", "22")
"""Classes of SQLSTATE by which the server reports damage: of its files, of a value."""
NO_LIBRARY = "could not access file"
"""What it says where the code of an extension is not there: that is ours."""
UNSUPPORTED = "0A000"
BY_ORDER = ("invariant violated", "could not find tuple using search")
"""What amcheck says of entries that are not in order: an order is a matter of the collation too."""


class Said(NamedTuple):
    """What is wrong with a relation; `is_damage` is False where it could not be examined."""

    relation: Relation
    what: str
    is_damage: bool = True

    @property
    def problem(self) -> str:
        """`index public.cards_pkey on public.cards: ...`."""
        return f"{self.relation.title}: {self.what}"

    @property
    def has_crashed(self) -> bool:
        """Whether the server crashes when it is read."""
        return self.what == CRASHED


class Examined(NamedTuple):
    """A relation to be examined."""

    relation: Relation
    major: int

    @property
    def label(self) -> str:
        """`storage of table public.cards`."""
        return f"storage of {self.relation.title}"

    def ask(self) -> Asking[Said | None]:
        """What amcheck says of it, None where it is sound."""
        outcome = yield Question(self.query())
        if self.relation.method == "btree":
            if outcome.sqlstate == UNSUPPORTED:
                # an index that was built before PostgreSQL 12, and came here by pg_upgrade
                outcome = yield Question(f"SELECT pg_temp.drill_btree({self.relation.oid}, true)")
            if outcome.sqlstate == LOCKED:
                outcome = yield Question(f"SELECT pg_temp.drill_beside({self.relation.oid}, true)")
        return said_of(self.relation, outcome)

    def query(self) -> str:
        """Query that raises an error, or gives a text, where it finds damage."""
        oid = self.relation.oid
        if self.relation.has_rows:
            return HEAP.format(oid)
        if self.relation.method == "gin":
            return f"SELECT pg_temp.drill_gin({oid})"
        look_up = self.relation.pages <= MOST_LOOKED_UP
        return f"SELECT pg_temp.drill_deepest({oid}, true, {look_up})"


def said_of(relation: Relation, outcome: Outcome) -> Said | None:
    """What an answer of amcheck means."""
    if outcome.row is not None:
        found = outcome.row[0]
        return Said(relation, found) if found else None
    if outcome.error in (CRASHED, TIRED):
        return Said(relation, outcome.error, outcome.error == CRASHED)
    is_ours = outcome.sqlstate[:2] not in DAMAGE or NO_LIBRARY in outcome.error
    return Said(relation, outcome.error, not is_ours)


@dataclass
class Amcheck:
    """Examines the database of `target`, whose `relations` are known, over so many sessions."""

    target: Target
    relations: Sequence[Relation]
    guard: Guard
    jobs: int
    progress: Callable[[str], None]
    found: list[Said] = field(default_factory=list)
    examined: int = 0

    def opened(self) -> Connection:
        """Session in which amcheck's functions are there."""
        session = open_session(self.target)
        storage.prepare(session, self.target.major, DEEPEST, BESIDE)
        session.execute(PATIENCE)
        return session

    def run(self) -> list[Said]:
        """Examine all tables, then all indexes; what is wrong, and what could not be examined.

        psycopg's error where amcheck cannot be used in this database.
        """
        sizes = {each.oid: each.pages for each in self.relations}
        is_large = sum(sizes.values()) > 100
        sessions = [surviving(self.opened, self.guard) for _ in range(self.jobs if is_large else 1)]
        with closing(Pool(sessions)) as pool:
            self.examine(pool, [each for each in self.relations if each.has_rows], sizes)
            indexes = [each for each in self.relations if is_examined(each, self.target.major)]
            self.examine(pool, indexes, sizes)
        return self.found

    def examine(self, pool: Pool, relations: Sequence[Relation], sizes: Mapping[int, int]) -> None:
        """Examine `relations`, the costliest first."""
        plan = Plan("checking storage")
        asked = [
            plan.ask(
                Examined.ask,
                Examined(each, self.target.major),
                pages=each.pages + sizes.get(each.table, 0),
                effort=DEEP if each.is_index else 1,
            )
            for each in relations
        ]
        plan.run(pool, self.progress)
        self.examined += len(asked)
        self.found += (found for each in asked if (found := each.result()))


def is_examined(relation: Relation, major: int) -> bool:
    """Whether it is an index that amcheck reads."""
    methods = ("btree", "gin") if major >= GIN_SINCE else ("btree",)
    is_whole = relation.is_ready and relation.is_valid
    return relation.is_index and relation.method in methods and is_whole


def unexamined(relations: Sequence[Relation], major: int) -> dict[str, list[str]]:
    """Names of relations of which amcheck knows nothing, by their access method."""
    found: dict[str, list[str]] = {}
    for each in relations:
        if (not each.is_index and not each.has_rows and each.kind != "S") or (
            each.is_index and each.method not in ("btree", "gin" if major >= GIN_SINCE else "")
        ):
            found.setdefault(each.method, []).append(each.full_name)
    return found

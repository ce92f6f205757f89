"""What the criteria file says, once it is read and checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from restore_drill.config.criteria.key_rules import KeyRule
from restore_drill.config.criteria.key_tolerance import KeyTolerance
from restore_drill.config.criteria.notify import Notify
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.config.criteria.rules import Rule
from restore_drill.core.names import joined, part_of, split_name
from restore_drill.core.units import show_bounds


@dataclass(frozen=True)
class TableCriteria:
    """A required table: `name` is `schema.table`; rows between `min_rows` and `max_rows`.

    `references` names the tables that its foreign keys must reference.
    """

    name: str
    min_rows: int = 1
    max_rows: int | None = None
    references: tuple[str, ...] = ()

    @property
    def expectation(self) -> str:
        """What is expected of its rows, in words."""
        return show_bounds(self.min_rows, self.max_rows)

    def holds(self, rows: int) -> bool:
        """Whether `rows` lies between the bounds."""
        return self.min_rows <= rows and (self.max_rows is None or rows <= self.max_rows)


@dataclass(frozen=True)
class Fact:
    """A business fact: `sql` returns one number, between `min` and `max`, or `equals`."""

    name: str
    sql: str
    description: str = ""
    min: float | None = None
    max: float | None = None
    equals: float | None = None

    @property
    def expectation(self) -> str:
        """What is expected of the number, in words."""
        parts = []
        for text, bound in (
            ("exactly", self.equals),
            ("at least", self.min),
            ("at most", self.max),
        ):
            if bound is not None:
                parts.append(f"{text} {bound:,}")
        return " and ".join(parts)

    def holds(self, value: float) -> bool:
        """Whether `value` meets every bound that is set."""
        return (
            (self.equals is None or value == self.equals)
            and (self.min is None or value >= self.min)
            and (self.max is None or value <= self.max)
        )


@dataclass(frozen=True)
class Freshness:
    """A column that says when rows were written, and how old its newest value may be (seconds)."""

    schema: str
    table: str
    column: str
    max_age: float

    @property
    def table_name(self) -> str:
        """`schema.table`."""
        return joined(self.schema, self.table)

    @property
    def name(self) -> str:
        """`schema.table.column`."""
        return f"{self.table_name}.{part_of(self.column)}"


@dataclass(frozen=True)
class Waiver:
    """A finding that is known and accepted until the end of the day `expires` (UTC).

    `criterion` is an id, with or without its module; `*` and `?` are wild inside its brackets.
    """

    criterion: str
    reason: str
    expires: date

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """`criterion` as a pattern; brackets stand for themselves."""
        wild = {"*": ".*", "?": "."}
        return re.compile("".join(wild.get(char, re.escape(char)) for char in self.criterion))

    def names(self, nodeid: str) -> bool:
        """Whether it is meant for the criterion `nodeid`."""
        name = nodeid if "::" in self.criterion else nodeid.split("::", maxsplit=1)[-1]
        return self.pattern.fullmatch(name) is not None

    def has_expired(self, today: date) -> bool:
        """Whether its last day lies before `today`."""
        return self.expires < today


@dataclass(frozen=True)
class Criteria:
    """The whole criteria file; `budgets` in seconds by option name (`max_restore_time`).

    `sha256` is that of the file as it was read, `sql_folder` None where the file names none;
    `shrinks` are tolerances of single tables, `head` the query for the migration head;
    `backup_name` is a pattern like `shop_*`, `backup_series` names the series that are drilled,
    `backup_every` is the time from one backup to the next; `backup_numbered` says that numbers in
    names count the backups of one database; `backup_database` is the one of a physical backup that
    the criteria are about, `backup_atomic` says that copied data directories are atomic snapshots,
    `backup_pgbackrest` is the repository that a backup lies in; `redis_volatile` gives by pattern
    the seconds that keys are worth anything.
    """

    path: Path
    sha256: str = ""
    tables: dict[str, TableCriteria] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    freshness: dict[str, Freshness] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    budgets: dict[str, float] = field(default_factory=dict)
    timezone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    backup_name: str = ""
    backup_series: tuple[str, ...] = ()
    backup_every: float | None = None
    backup_numbered: bool = False
    backup_database: str = ""
    backup_atomic: bool = False
    backup_pgbackrest: PgBackRest | None = None
    min_size_ratio: float = 0.5
    max_shrink: float = 0.1
    max_growth: float | None = None
    shrinks: dict[str, float] = field(default_factory=dict)
    head: str | None = None
    schedule_every: float | None = None
    schedule_grace: float | None = None
    max_slowdown: float = 0.4
    max_fall: float = 0.2
    trend_weeks: float = 8
    failing_trends: Sequence[str] = ()
    max_redis_latency: float = 0.1
    max_redis_latency_p99: float | None = None
    min_redis_headroom: float | None = None
    max_redis_save_age: float | None = None
    max_redis_replica_lag: float = 10.0
    min_redis_replicas: int = 0
    redis_cached: tuple[str, ...] = ()
    redis_coherence: tuple[Rule, ...] = ()
    redis_volatile: dict[str, float] = field(default_factory=dict)
    redis_keys: dict[str, KeyRule] = field(default_factory=dict)
    redis_tolerance: KeyTolerance = field(default_factory=KeyTolerance)
    application_role: str = ""
    notify: Notify = field(default_factory=Notify)
    sql_folder: Path | None = None
    sql_timeout: float = 30.0

    def shrink_of(self, table: str) -> float:
        """Share of the rows of `table` that may be missing."""
        return self.shrinks.get(table, self.max_shrink)


def qualified(name: str) -> str:
    """`schema.table` of a table name; one without schema means `public`.

    A part that holds a dot stands in quotes, as in SQL: `"a.b".c`.
    """
    parts = split_name(name)
    return joined(*parts) if parts[1:] else joined("public", *parts)

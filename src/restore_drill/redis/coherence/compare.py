"""Keys of Redis against rows of a database, as sets: no key is asked for by itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from restore_drill.config.criteria import Rule
from restore_drill.redis.coherence.columns import Columns, Connection, columns_of
from restore_drill.redis.coherence.found import (
    DIFFERING,
    LACKING,
    OTHER,
    WITHOUT_KEY,
    WITHOUT_ROW,
    WRONG,
    Found,
)
from restore_drill.redis.coherence.loading import MOST_SHOWN, load_keys, temporary_table
from restore_drill.redis.coherence.reading import Limits
from restore_drill.redis.coherence.template import Template
from restore_drill.redis.coherence.values import ABSENT, OTHER_TYPE, READ, UNREADABLE

if TYPE_CHECKING:
    import redis

KEYS: LiteralString = "SELECT DISTINCT k.* FROM pg_temp.drill_keys k"
ASTRAY: LiteralString = """SELECT DISTINCT k.* FROM pg_temp.drill_keys k
    WHERE NOT EXISTS (SELECT FROM (SELECT {selected} FROM {table}) t WHERE {same})"""
APART: LiteralString = """SELECT DISTINCT k.* FROM pg_temp.drill_keys k
    WHERE NOT EXISTS (SELECT FROM (SELECT {selected} FROM {table}) t WHERE {same} AND {agree})"""
WITH_ROW: LiteralString = """ AND k.s = {state}
    AND EXISTS (SELECT FROM (SELECT {selected} FROM {table}) t WHERE {same})"""
"""Behind APART: those of a state that have a row."""
NEEDED: LiteralString = """SELECT * FROM (SELECT {selected} FROM {table} WHERE {where}) t
    WHERE {known}"""
KEYLESS: LiteralString = " AND NOT EXISTS (SELECT FROM pg_temp.drill_keys k WHERE {same})"
"""Behind NEEDED: those without a key."""
AGREE: LiteralString = "(k.s = {read} AND {equal} OR k.s = {absent} AND t.v IS NULL)"
"""A field that is not there agrees with NULL, and so does an empty text."""
STATES = {DIFFERING: READ, LACKING: ABSENT, WRONG: UNREADABLE, OTHER: OTHER_TYPE}


def compare(
    rule: Rule,
    clients: Sequence[redis.Redis],
    connection: Connection,
    *,
    limits: Limits | None = None,
    show: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Found:
    """Keys of `clients`, all shards of a cluster, against rows of a database, by `rule`.

    Nothing is written but a temporary table, in a transaction that is undone. With `show` a few
    names of keys are kept of what does not agree. Raises NotInDatabase, NotCompared,
    WrongCondition, TooMuch, psycopg.Error and redis.RedisError.
    """
    started, found = time.monotonic(), Found(rule)
    columns = columns_of(connection, rule)
    with temporary_table(connection, columns):
        load_keys(found, clients, connection, columns, limits or Limits(), progress)
        Comparison(connection, rule, columns).into(found, show=show)
    found.seconds = time.monotonic() - started
    return found


class Comparison:
    """The rows of `rule` and the keys in the temporary table, as sets."""

    def __init__(self, connection: Connection, rule: Rule, columns: Columns) -> None:
        """Over the connection whose transaction has that table."""
        self.connection = connection
        self.rule = rule
        names = columns.names
        pairs = [sql.SQL("k.{0} = t.{0}").format(sql.Identifier(name)) for name in names]
        known = [sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(name)) for name in names]
        texts = [
            sql.SQL("convert_to({}::text, {})").format(
                sql.Identifier(name), sql.Literal(columns.encoding.name)
            )
            for name in names
        ]
        is_text = columns.value_kind is not None and columns.value_kind.is_text
        equal = "(k.v = t.v OR k.v = '' AND t.v IS NULL)" if is_text else "k.v = t.v"
        self.template = Template(rule, columns.kinds, columns.encoding)
        self.texts = sql.SQL(", ").join(texts)
        self.parts = {
            "selected": columns.selected,
            "table": columns.name,
            "same": sql.SQL(" AND ").join(pairs),
            "known": sql.SQL(" AND ").join(known),
            "where": sql.SQL("({}\n)").format(trusted(rule.where or "true")),
            "agree": sql.SQL(AGREE).format(
                equal=sql.SQL(equal), read=sql.Literal(READ), absent=sql.Literal(ABSENT)
            ),
        }

    def query(self, *pieces: LiteralString, state: int = READ) -> sql.Composed:
        """A query of `pieces`, one behind another."""
        return sql.SQL("".join(pieces)).format(**self.parts, state=sql.Literal(state))

    def into(self, found: Found, *, show: bool) -> None:
        """Count what agrees and what does not into `found`."""
        keys = self.states(self.query(KEYS))
        found.keys = keys.total() + found.misnamed
        if not self.rule.needs_rows:
            found.misnamed = 0
        if not self.rule.needs_rows or not show:
            found.examples.clear()
        astray = Counter[int]()
        if self.rule.needs_rows or self.rule.equals:
            astray = self.states(self.query(ASTRAY))
            found.without_row = astray.total() if self.rule.needs_rows else 0
        if self.rule.equals:
            apart = self.states(self.query(APART)) - astray
            found.differing, found.lacking = apart[READ], apart[ABSENT]
            found.unreadable, found.other_type = apart[UNREADABLE], apart[OTHER_TYPE]
        if self.rule.needs_keys:
            found.rows = self.count(self.query(NEEDED))
            found.without_key = self.count(self.query(NEEDED, KEYLESS))
        if show:
            self.show(found)

    def states(self, query: sql.Composable) -> Counter[int]:
        """How many keys of `query` are in which state."""
        counts = sql.SQL("SELECT s, count(*) FROM ({}) k GROUP BY s").format(query)
        return Counter(dict(self.connection.execute(counts).fetchall()))

    def count(self, query: sql.Composable) -> int:
        """How many rows `query` has."""
        row = self.connection.execute(
            sql.SQL("SELECT count(*) FROM ({}) t").format(query)
        ).fetchone()
        return int(row[0]) if row else 0

    def show(self, found: Found) -> None:
        """Keep a few names of keys of each kind of what does not agree."""
        queries = {WITHOUT_ROW: self.query(ASTRAY), WITHOUT_KEY: self.query(NEEDED, KEYLESS)}
        queries |= {
            kind: self.query(APART, WITH_ROW, state=state) for kind, state in STATES.items()
        }
        for kind, query in queries.items():
            if getattr(found, kind):
                found.examples[kind] = self.names(query)

    def names(self, query: sql.Composable) -> list[bytes]:
        """Names of the first keys of `query`, in the order of their values."""
        some = sql.SQL("SELECT {} FROM ({}) k ORDER BY {} LIMIT {}").format(
            self.texts, query, self.texts, sql.Literal(MOST_SHOWN)
        )
        return [self.template.name(row) for row in self.connection.execute(some).fetchall()]


def trusted(condition: str) -> sql.SQL:
    """A condition of the criteria file, which its user is trusted with; it runs read-only."""
    return sql.SQL(condition)

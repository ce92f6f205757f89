"""The table of a rule as the database has it: its columns, and how each is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from restore_drill.backups.plaindump.codec import codec_of
from restore_drill.config.criteria import Rule
from restore_drill.core.names import split_name
from restore_drill.redis.coherence.kinds import Kind, kind_of, value_kind_of
from restore_drill.redis.coherence.template import Encoding

Connection = psycopg.Connection[tuple[Any, ...]]

COLUMNS: LiteralString = """
    WITH RECURSIVE base AS (
        SELECT attname, atttypid AS type FROM pg_catalog.pg_attribute
        WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT attname, typbasetype FROM base JOIN pg_catalog.pg_type t ON t.oid = type
        WHERE typtype = 'd')
    SELECT attname, pg_catalog.format_type(type, NULL)
    FROM base JOIN pg_catalog.pg_type t ON t.oid = type WHERE typtype <> 'd'"""

RELATION: LiteralString = """
    SELECT c.oid, c.relkind::text, EXISTS (
        SELECT FROM pg_catalog.pg_partition_tree(c.oid) p
        JOIN pg_catalog.pg_class f ON f.oid = p.relid AND f.relkind = 'f')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = %s AND c.relkind = ANY ('{r,p,v,m,f}')"""


class NotInDatabase(Exception):
    """The database does not have the table of a rule, or one of its columns; `types` has these."""

    def __init__(self, table: str, column: str = "", types: dict[str, str] | None = None) -> None:
        """That there is no such table, or no such column in it."""
        self.table, self.column, self.types = table, column, types or {}
        super().__init__(f"{table} {f'has no column {column}' if column else 'is not there'}")


class NotCompared(Exception):
    """Why the keys and rows of a rule are not compared, in words."""


class WrongCondition(Exception):
    """The condition of a rule is what the server refuses; `skipped` letters stood before it."""

    def __init__(self, error: psycopg.Error, skipped: int) -> None:
        """That it raised `error`."""
        self.error, self.skipped = error, skipped
        super().__init__(str(error))


@dataclass(frozen=True)
class Columns:
    """Columns of the table of a rule, with the kind of each: those in the name, that of the value.

    `name` is the table's, as SQL.
    """

    name: sql.Composable
    columns: tuple[str, ...]
    kinds: tuple[Kind, ...]
    equals: str = ""
    value_kind: Kind | None = None
    encoding: Encoding = field(default_factory=Encoding)

    @property
    def names(self) -> list[str]:
        """What the columns of the name are called in comparisons: `k1`, `k2`."""
        return [f"k{number}" for number, _ in enumerate(self.columns, 1)]

    @property
    def copied(self) -> sql.Composable:
        """Columns that keys are copied into."""
        names = self.names if self.value_kind is None else [*self.names, "v", "s"]
        return sql.SQL(", ").join(map(sql.Identifier, names))

    @property
    def selected(self) -> sql.Composable:
        """What is read of a row: `k1`, `k2`... and `v`."""
        parts = [
            sql.SQL("{} AS {}").format(expression(column, kind), sql.Identifier(name))
            for name, column, kind in zip(self.names, self.columns, self.kinds, strict=True)
        ]
        if self.value_kind is not None:
            parts.append(sql.SQL("{} AS v").format(expression(self.equals, self.value_kind)))
        return sql.SQL(", ").join(parts)

    @property
    def declared(self) -> sql.Composable:
        """The same columns of a table of keys, and `s`, what came of the value."""
        kinds = dict(zip(self.names, self.kinds, strict=True))
        kinds |= {} if self.value_kind is None else {"v": self.value_kind}
        bytewise = {True: ' COLLATE "C"', False: ""}
        parts = [f"{name} {each.sql}{bytewise[each.casts]}" for name, each in kinds.items()]
        return sql.SQL(", ".join([*parts, "s smallint NOT NULL DEFAULT 0"]))


def expression(column: str, kind: Kind) -> sql.Composable:
    """A column as it is compared: texts byte by byte, whatever its collation calls equal."""
    cast = sql.SQL('::text COLLATE "C"' if kind.casts else "")
    return sql.Identifier(column) + cast


def try_condition(connection: Connection, rule: Rule, name: sql.Composable) -> None:
    """Have the server read the condition of `rule`, without a row; raises WrongCondition."""
    before = sql.SQL("SELECT FROM {} WHERE (").format(name).as_string(connection)
    query = f"{before}{rule.where}\n) LIMIT 0"
    try:
        connection.execute(query.encode(connection.info.encoding), binary=True)  # one statement
    except psycopg.Error as error:
        raise WrongCondition(error, len(before)) from None


def columns_of(connection: Connection, rule: Rule) -> Columns:
    """Columns of the table of `rule`; raises NotInDatabase, NotCompared, WrongCondition."""
    schema, table = split_name(rule.table)
    found = connection.execute(RELATION, [schema, table]).fetchone()
    if found is None:
        raise NotInDatabase(rule.table)
    oid, relkind, has_foreign = found
    if relkind == "f" or has_foreign:
        raise NotCompared(f"{rule.table} is, or has, a foreign table: its rows lie elsewhere")
    types: dict[str, str] = dict(connection.execute(COLUMNS, [oid]).fetchall())
    for column in (*rule.columns, *filter(None, [rule.equals])):
        if column not in types:
            raise NotInDatabase(rule.table, column, types)
    name = sql.Identifier(schema, table)
    if rule.where:
        try_condition(connection, rule, name)
    encoding = connection.info.parameter_status("server_encoding") or ""
    return Columns(
        name=name,
        columns=rule.columns,
        kinds=tuple(kind_of(types[column]) for column in rule.columns),
        equals=rule.equals,
        value_kind=value_kind_of(types[rule.equals]) if rule.equals else None,
        encoding=Encoding(None if encoding == "SQL_ASCII" else codec_of(encoding)),
    )

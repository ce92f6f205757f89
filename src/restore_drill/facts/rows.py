"""Every row against what its table demands: one pass a table counts rows and tests conditions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import LiteralString, NamedTuple

from restore_drill.facts.catalog import Table
from restore_drill.facts.content import Relation
from restore_drill.facts.model import Constraint
from restore_drill.facts.pool import HEAP_ONLY, Connection, Outcome, answer, read_each
from restore_drill.facts.reading import facts_of
from restore_drill.facts.recorded import TableFacts

MOST_ARGUMENTS = 90
"""Columns tested at once: a function takes 100 arguments at most."""

CHECKS: LiteralString = """
    SELECT k.conrelid, 'check', k.conname, pg_get_expr(k.conbin, k.conrelid), NULL::text
    FROM pg_constraint k
    WHERE /*one*/ AND k.contype = 'c' AND k.conrelid <> 0
        AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'"""
CHECK_IDS: LiteralString = """
    SELECT oid, conrelid, 'check', conname FROM pg_constraint
    WHERE contype = 'c' AND conrelid <> 0"""

BOUNDS: LiteralString = """
    SELECT c.oid, 'partition bound', '', pg_get_partition_constraintdef(c.oid), NULL
    FROM pg_class c
    WHERE /*one*/ AND c.relispartition AND c.relkind = 'r'
        AND pg_get_partition_constraintdef(c.oid) <> ''"""
BOUND_IDS: LiteralString = """
    SELECT oid, oid, 'partition bound', '' FROM pg_class WHERE relispartition AND relkind = 'r'"""

DOMAINS: LiteralString = """
    WITH RECURSIVE chain (relation, attname, domain, base) AS (
        SELECT a.attrelid, a.attname, t.oid, t.typbasetype
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE t.typtype = 'd' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT chain.relation, chain.attname, t.oid, t.typbasetype
        FROM chain JOIN pg_type t ON t.oid = chain.base WHERE t.typtype = 'd'
    )
    SELECT chain.relation, 'domain',
        format('%s of column %s', k.conname, chain.attname),
        pg_get_expr(k.conbin, 0),
        (SELECT format('(%I)::%s', chain.attname, format_type(last.base, NULL))
         FROM chain last JOIN pg_type y ON y.oid = last.base
         WHERE last.relation = chain.relation AND last.attname = chain.attname
            AND y.typtype <> 'd')
    FROM chain JOIN pg_constraint k ON k.contypid = chain.domain AND k.contype = 'c'
    WHERE /*one*/"""
DOMAIN_IDS: LiteralString = """
    SELECT k.oid, a.attrelid, 'domain', format('%s of column %s', k.conname, a.attname)
    FROM pg_constraint k JOIN pg_attribute a ON a.atttypid = k.contypid
    WHERE k.contype = 'c' AND a.attnum > 0 AND NOT a.attisdropped"""

NOT_NULL_DOMAINS: LiteralString = """
    WITH RECURSIVE chain (relation, attname, domain) AS (
        SELECT a.attrelid, a.attname, a.atttypid
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT chain.relation, chain.attname, t.typbasetype
        FROM chain JOIN pg_type t ON t.oid = chain.domain WHERE t.typtype = 'd'
    )
    SELECT chain.relation, 'domain',
        format('%s (not null) of column %s', t.typname, chain.attname),
        format('num_nulls(%I) = 0', chain.attname), NULL
    FROM chain JOIN pg_type t ON t.oid = chain.domain WHERE t.typtype = 'd' AND t.typnotnull"""

NOT_NULL: LiteralString = """
    SELECT a.attrelid, array_agg(a.attname::text ORDER BY a.attnum),
        array_agg(quote_ident(a.attname) ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relkind = 'r' AND a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY a.attrelid"""

HIDDEN_DOMAINS: LiteralString = """
    SELECT DISTINCT c.oid::regclass || '.' || a.attname
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND EXISTS (
            SELECT FROM pg_type d JOIN pg_constraint k ON k.contypid = d.oid
            WHERE d.oid = t.typelem OR d.oid IN (
                SELECT p.atttypid FROM pg_attribute p WHERE p.attrelid = t.typrelid)
        )
        AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    ORDER BY 1"""
"""Columns with a domain inside: arrays and composites, whose parts are not looked at."""

VALUE = re.compile(r"""('[^']*+(?:''[^']*+)*+'|"[^"]*+(?:""[^"]*+)*+")|\bVALUE\b""")
"""A text or quoted name, or the keyword by which a domain's constraint names its value."""


class Condition(NamedTuple):
    """What a row of a table must meet: it is broken where `text`, as SQL, is false.

    `columns` are the names behind a condition on several columns, and `quoted` the same as SQL;
    `error` says why the server cannot write it as SQL.
    """

    kind: str
    name: str
    text: str = ""
    error: str = ""
    columns: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()

    @property
    def broken(self) -> str:
        """Expression that counts the rows which break it."""
        return f"count(*) FILTER (WHERE NOT ({self.text}))"


@dataclass(frozen=True)
class Scan:
    """What one pass over a table found: its rows (None with an error), and each condition.

    `content` are its fingerprints, where they were asked for.
    """

    rows: int | None
    error: str
    constraints: tuple[Constraint, ...]
    content: TableFacts | None = None


def read_conditions(connection: Connection) -> dict[int, list[Condition]]:
    """Conditions of all tables that hold rows, by the table's oid."""
    found: dict[int, list[Condition]] = {}
    for query, column, ids in (
        (CHECKS, "k.oid", CHECK_IDS),
        (BOUNDS, "c.oid", BOUND_IDS),
        (DOMAINS, "k.oid", DOMAIN_IDS),
        (NOT_NULL_DOMAINS, "", ""),
    ):
        rows, errors = read_each(connection, query, column, ids)
        for oid, kind, name, text, value in rows:
            condition = with_value(text, value) if value else text
            found.setdefault(oid, []).append(Condition(kind, name, condition))
        for (_, oid, kind, name), error in errors:
            found.setdefault(oid, []).append(Condition(kind, name, error=error))
    for oid, names, quoted in connection.execute(NOT_NULL):
        for start in range(0, len(names), MOST_ARGUMENTS):
            part = slice(start, start + MOST_ARGUMENTS)
            # Not IS NULL, which the planner takes for false on a column that is NOT NULL.
            text = f"num_nulls({', '.join(quoted[part])}) = 0"
            found.setdefault(oid, []).append(
                Condition("not null", "", text, "", tuple(names[part]), tuple(quoted[part]))
            )
    return found


def with_value(text: str, column: str) -> str:
    """Condition of a domain, with `column` in the place of its VALUE."""
    return VALUE.sub(lambda found: found[1] or column, text)


def scan(
    connection: Connection,
    table: Table,
    conditions: list[Condition],
    relation: Relation | None = None,
) -> Scan:
    """Count the rows of `table` and those that break each of `conditions`, in one pass.

    The same pass takes the fingerprints of `relation`, if it is given. Where a condition cannot be
    evaluated each is tried alone, so that only that one is lost.
    """
    written = [each for each in conditions if not each.error]
    found = [
        Constraint(table.full_name, each.kind, each.name, None, each.error)
        for each in conditions
        if each.error
    ]
    whole = answer(connection, query_of(connection, table, written, relation), HEAP_ONLY)
    if whole.row is None and (written or relation):
        alone = scan(connection, table, [])
        content = facts_of(connection, relation) if relation else None
        outcomes = [try_alone(connection, table, each) for each in written]
    else:
        rows, *rest = whole.row or (None,)
        broken, sums = rest[: len(written)], rest[len(written) :]
        alone = Scan(rows, whole.error, ())
        content = relation.facts((rows, *sums)) if relation else None
        outcomes = [Outcome((count,)) for count in broken]
    for condition, outcome in zip(written, outcomes, strict=True):
        found += name_broken(connection, table, condition, outcome)
    return Scan(alone.rows, alone.error, tuple(found), content)


def query_of(
    connection: Connection, table: Table, conditions: list[Condition], relation: Relation | None
) -> str:
    """Query for the rows of `table`, those that break `conditions`, and fingerprints."""
    broken = [each.broken for each in conditions]
    if relation is not None:
        return relation.query(*broken).as_string(connection)
    return f"SELECT {', '.join(['count(*)', *broken])} FROM ONLY {table.quoted}"


def try_alone(connection: Connection, table: Table, condition: Condition) -> Outcome:
    """Rows that break one condition; a function in it may need the usual search_path."""
    query = f"SELECT {condition.broken} FROM ONLY {table.quoted}"
    outcome = answer(connection, query, HEAP_ONLY)
    if outcome.row is not None:
        return outcome
    usual = answer(connection, query, (*HEAP_ONLY, "SET LOCAL search_path TO DEFAULT"))
    return usual if usual.row is not None else outcome


def name_broken(
    connection: Connection, table: Table, condition: Condition, outcome: Outcome
) -> list[Constraint]:
    """Facts of one condition; of one on several columns those that are broken, by name."""
    broken = outcome.row[0] if outcome.row else None
    found = Outcome(None)
    if broken and condition.columns:
        counts = ", ".join(
            f"count(*) FILTER (WHERE num_nulls({each}) > 0)" for each in condition.quoted
        )
        found = answer(connection, f"SELECT {counts} FROM ONLY {table.quoted}", HEAP_ONLY)
    if found.row is None:
        name = condition.name or ", ".join(condition.columns)
        return [Constraint(table.full_name, condition.kind, name, broken, outcome.error)]
    return [
        Constraint(table.full_name, condition.kind, name, count)
        for name, count in zip(condition.columns, found.row, strict=True)
        if count
    ]

"""What the rows of a table must meet: checks, bounds of partitions, domains and NOT NULL."""

from __future__ import annotations

import re
from typing import LiteralString, NamedTuple

from restore_drill.facts.answers import read_each
from restore_drill.facts.session import Connection

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
"""Columns with a domain inside: arrays and composites, whose parts are not checked."""

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

"""Unique and exclusion constraints, re-checked over the rows of the table and past its index."""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from restore_drill.facts.answers import HEAP_ONLY, time_limit
from restore_drill.facts.asking import Asking, Question
from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.records import Constraint

KEYS: LiteralString = (
    """
    SELECT n.nspname || '.' || t.relname, c.relname, t.relpages, 'ONLY ' || t.oid::regclass,
        coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
        coalesce(to_jsonb(i) ->> 'indnullsnotdistinct' = 'true', false),
        parts.keys, parts.is_comparable, parts.operators, i.indexrelid, i.indisunique
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid AND t.relkind IN ('r', 'm')
    JOIN pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN LATERAL (
        SELECT k.contype, k.conexclop FROM pg_constraint k
        WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
            AND k.conrelid = i.indrelid
    ) k ON true
    CROSS JOIN LATERAL (
        SELECT array_agg(pg_get_indexdef(i.indexrelid, place::int, false) || coalesce(
                CASE WHEN l.collisdeterministic THEN ' COLLATE "C"'
                    ELSE ' COLLATE ' || quote_ident(ls.nspname) || '.' || quote_ident(l.collname)
                END, '')
                ORDER BY place) AS keys,
            bool_and(p.opcdefault OR EXISTS (
                SELECT FROM pg_opclass d
                JOIN pg_amop de ON de.amopfamily = d.opcfamily AND de.amopstrategy = 3
                JOIN pg_amop oe ON oe.amopfamily = p.opcfamily AND oe.amopstrategy = 3
                    AND oe.amopopr = de.amopopr
                WHERE d.opcdefault AND d.opcmethod = p.opcmethod
                    AND d.opcintype = p.opcintype
                    AND de.amoplefttype = d.opcintype AND de.amoprighttype = d.opcintype
            )) AS is_comparable,
            CASE WHEN k.conexclop IS NOT NULL THEN array_agg((
                SELECT format('OPERATOR(%I.%s)', s.nspname, o.oprname) FROM pg_operator o
                JOIN pg_namespace s ON s.oid = o.oprnamespace WHERE o.oid = k.conexclop[place]
            ) ORDER BY place) END AS operators
        FROM unnest(i.indclass, i.indcollation) WITH ORDINALITY u (class, coll, place)
        JOIN pg_opclass p ON p.oid = u.class
        LEFT JOIN pg_collation l ON l.oid = nullif(u.coll, 0)
        LEFT JOIN pg_namespace ls ON ls.oid = l.collnamespace
        WHERE place <= i.indnkeyatts
    ) parts
    WHERE /*one*/ AND (i.indisunique OR k.contype IS NOT NULL)
        AND (t.relkind = 'r' OR t.relispopulated) AND"""
    + USER_SCHEMA
    + "ORDER BY t.relpages DESC"
)

KEY_IDS: LiteralString = """
    SELECT i.indexrelid, n.nspname || '.' || t.relname, c.relname
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE i.indisunique OR i.indisexclusion"""

EFFORT = 3.0
"""What sorting the keys of a page costs, where counting its rows costs 1."""


class Key(NamedTuple):
    """A unique or exclusion index of one table; `keys` and `predicate` are SQL.

    `operators` are those of an exclusion constraint, None for equality; `is_comparable` says that
    the index takes for equal what the type does. `oid` is the index's; only `is_unique` lets the
    server refuse what repeats a key.
    """

    table: str
    name: str
    pages: int
    source: str
    predicate: str
    nulls_are_equal: bool
    keys: list[str]
    is_comparable: bool
    operators: list[str] | None
    oid: int
    is_unique: bool

    @property
    def label(self) -> str:
        """`unique index cards_pkey of public.cards`."""
        return f"unique index {self.name} of {self.table}"

    @property
    def cost(self) -> float:
        """What it takes to sort its keys."""
        return self.pages * EFFORT

    @property
    def rows(self) -> str:
        """Rows that the constraint speaks of, as the end of a query."""
        if self.nulls_are_equal:
            return f"FROM {self.source} WHERE {self.predicate}"
        present = " AND ".join(f"({key}) IS NOT NULL" for key in self.keys)
        return f"FROM {self.source} WHERE ({self.predicate}) AND {present}"

    @property
    def repeated_query(self) -> str:
        """Query for the rows whose key an earlier row has."""
        keys = ", ".join(f"({key})" for key in self.keys)
        return (
            "SELECT coalesce(sum(repeated.rows - 1), 0)::bigint"
            f" FROM (SELECT count(*) AS rows {self.rows} GROUP BY {keys}) repeated"
            " WHERE repeated.rows > 1"
        )

    @property
    def quick_query(self) -> str:
        """Query that gives 0 only where no key is repeated, by sorting bare values or hashes."""
        one = len(self.keys) == 1 and not self.nulls_are_equal
        value = self.keys[0] if one else f"hash_record_extended(ROW({', '.join(self.keys)}), 0)"
        return f"SELECT count(*) - count(DISTINCT {value}) {self.rows}"

    @property
    def excluding(self) -> str:
        """Pairs a, b of rows that exclude one another, as the end of a query."""
        columns = ", ".join(f"({key}) AS k{place}" for place, key in enumerate(self.keys))
        rows = f"(SELECT ctid AS place, {columns} FROM {self.source} WHERE {self.predicate})"
        clashes = " AND ".join(
            f"a.k{place} {operator} b.k{place}"
            for place, operator in enumerate(self.operators or ())
        )
        return f"FROM {rows} a JOIN {rows} b ON a.place < b.place AND {clashes}"

    @property
    def found_query(self) -> str:
        """Query that gives all rows which share a key, or exclude one another."""
        if self.operators is None:
            keys = ", ".join(f"({key})" for key in self.keys)
            places = f"array_agg(ctid)) {self.rows} GROUP BY {keys} HAVING count(*) > 1"
        else:
            places = f"ARRAY[a.place, b.place]) {self.excluding}"
        return f"SELECT * FROM {self.source} WHERE ctid = ANY (ARRAY(SELECT unnest({places}))"


def check_unique(key: Key) -> Asking[Constraint]:
    """Rows of a table that repeat a key, or exclude one another, past what the index says."""
    if key.operators is not None:
        outcome = yield Question(f"SELECT count(*) {key.excluding}", (time_limit(),))
    else:
        outcome = yield Question(key.quick_query, HEAP_ONLY)
        if outcome.row != (0,):
            outcome = yield Question(key.repeated_query, HEAP_ONLY)
    kind = "unique" if key.operators is None else "exclusion"
    broken = outcome.row[0] if outcome.row else None
    query = key.found_query if broken else ""
    return Constraint(key.table, kind, key.name, broken, outcome.error, query)

"""What the catalog lists: tables, sequences and their columns, what lies on other servers."""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from restore_drill.core.names import joined

USER_SCHEMA: LiteralString = """
    n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'
"""

PAGES: LiteralString = """
    coalesce((SELECT sum(l.relpages) FROM pg_partition_tree(c.oid) l_tree
        JOIN pg_class l ON l.oid = l_tree.relid WHERE l_tree.isleaf), c.relpages)::bigint
"""
"""Pages of a table c, or of all its partitions."""

TABLES: LiteralString = (
    """
    SELECT n.nspname, c.relname, c.relkind::text, c.relispopulated, c.relpages, c.oid,
        c.oid::regclass::text,
        CASE WHEN c.relkind = 'p' THEN ARRAY(
            SELECT p.relid::oid FROM pg_partition_tree(c.oid) p WHERE p.isleaf
        ) ELSE '{}' END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't' AND"""
    + USER_SCHEMA
    + "ORDER BY c.relpages DESC"
)

SEQUENCES: LiteralString = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND c.relpersistence <> 't' ORDER BY 1, 2"""

FAR: LiteralString = """
    WITH RECURSIVE far (oid) AS (
        SELECT oid FROM pg_class WHERE relkind = 'f'
        UNION
        SELECT more.oid FROM far, LATERAL (
            SELECT i.inhparent AS oid FROM pg_inherits i WHERE i.inhrelid = far.oid
            UNION ALL
            SELECT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
            WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid = far.oid
        ) more
    )
    SELECT oid FROM far"""
"""Foreign tables and all that reads them: a look there would reach another server."""

COUNTERS: LiteralString = (
    """
    SELECT DISTINCT n.nspname, s.relname, s.oid::regclass::text, q.seqincrement,
        CASE WHEN q.seqincrement > 0 THEN least(q.seqmax, y.high) - q.seqmin
            ELSE q.seqmax - greatest(q.seqmin, y.low) END + 1,
        CASE WHEN q.seqincrement > 0 THEN least(q.seqmax, y.high)
            ELSE greatest(q.seqmin, y.low) END,
        t.oid, t.oid::regclass::text, tn.nspname, t.relname, a.attname, quote_ident(a.attname),
        used.is_plain
    FROM pg_class s
    JOIN pg_namespace n ON n.oid = s.relnamespace
    JOIN pg_sequence q ON q.seqrelid = s.oid
    JOIN (
        SELECT objid AS seq, refobjid AS rel, refobjsubid AS col, true AS is_plain FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
            AND deptype = 'i' AND refobjsubid > 0
        UNION
        SELECT d.refobjid, ad.adrelid, ad.adnum, pg_get_expr(ad.adbin, ad.adrelid) ~
            $re$^[(]*nextval[(]'([^']|'')*'::regclass[)]+(::[a-z]+)?[)]*$$re$
        FROM pg_depend d JOIN pg_attrdef ad ON ad.oid = d.objid
        JOIN pg_attribute a ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
        WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
            AND a.attgenerated = '' AND pg_get_expr(ad.adbin, ad.adrelid) LIKE '%nextval(%'
    ) used ON used.seq = s.oid
    JOIN pg_class t ON t.oid = used.rel AND t.relkind IN ('r', 'p')
    JOIN pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = used.col
    JOIN pg_type yt ON yt.oid = a.atttypid AND yt.typcategory = 'N'
    JOIN (VALUES ('int2'::regtype::oid, -32768::numeric, 32767::numeric),
                 ('int4'::regtype::oid, -2147483648, 2147483647),
                 (0::oid, -9223372036854775808, 9223372036854775807)) y (type, low, high)
        ON y.type = CASE WHEN coalesce(nullif(yt.typbasetype, 0), yt.oid)
                IN ('int2'::regtype, 'int4'::regtype)
            THEN coalesce(nullif(yt.typbasetype, 0), yt.oid) ELSE 0 END
    WHERE s.relkind = 'S' AND NOT q.seqcycle AND"""
    + USER_SCHEMA
    + "ORDER BY 1, 2"
)
"""Sequences by the columns that take their values: to own a sequence alone is not to use it."""


class Table(NamedTuple):
    """A table, partitioned or foreign table, or materialised view, by its `kind` in pg_class.

    It has `pages` of 8 kB as ANALYZE saw them; `quoted` is its name as SQL has it, `leaves` are
    the oids of its partitions that have none themselves.
    """

    schema: str
    name: str
    kind: str
    is_populated: bool
    pages: int
    oid: int
    quoted: str
    leaves: list[int]

    @property
    def full_name(self) -> str:
        """`schema.table`."""
        return joined(self.schema, self.name)

    @property
    def label(self) -> str:
        """`rows of public.cards`."""
        return f"rows of {self.full_name}"

    @property
    def is_partitioned(self) -> bool:
        """Whether its rows lie in its partitions."""
        return self.kind == "p"

    @property
    def has_rows(self) -> bool:
        """Whether it holds rows itself."""
        return self.kind == "r" or (self.kind == "m" and self.is_populated)


class Counter(NamedTuple):
    """A sequence and the column that it feeds; `values` it can give at all, up to `last`.

    `is_plain` says that the column takes its values as they are, and computes nothing with them.
    """

    schema: str
    name: str
    quoted: str
    increment: int
    values: int
    last: int
    table_oid: int
    table_quoted: str
    table_schema: str
    table: str
    column: str
    column_quoted: str
    is_plain: bool

    @property
    def full_name(self) -> str:
        """`schema.sequence`."""
        return joined(self.schema, self.name)

    @property
    def label(self) -> str:
        """`sequence public.cards_id_seq`."""
        return f"sequence {self.full_name}"

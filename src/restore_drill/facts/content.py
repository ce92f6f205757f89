"""Fingerprints of rows: one pass a table, independent of their order and of session settings.

Each value is hashed as its text under fixed settings (`session.py`), but whole numbers and UUIDs as
they are, at a third of the time; the fingerprint of a column is the sum of its values' hashes, that
of the whole rows the sum of a hash over each row's hashes. A sum, since xor loses a pair of equal
rows; text, since `hash_record` takes 1.0 and 1.00 for equal and fails on json, point and tsvector.
Columns count in the order of their names: a restore may place those of an inheriting table anew.

It finds what was lost or changed by accident; a forger it does not stop. What a table of few rows
holds can be guessed from it: keep a manifest as private as its backup. By experiment with
dumps of PostgreSQL 14 to 18 restored into the same and each newer major, all built-in types
compare, also float, money, json, xml, ranges, composites, enums and oid, xid, pg_lsn, regclass or
regrole. Left out, and named in `left_out`, are:

- regproc and regoper (and types that hold them): they write a name without its arguments, which
  depends on the other functions of the server; pg_dump itself cannot restore an ambiguous one;
- virtual generated columns, which hold no data; foreign tables, whose rows are elsewhere.

A "char" counts by its number, since 14 writes bytes above 127 raw and 15 in octal; inside arrays
and composites such a byte differs between 14 and newer majors. Servers of other encoding or byte
order hash another text: they are compared by their rows alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from restore_drill.core.names import part_of, quoted
from restore_drill.facts.catalog import Table
from restore_drill.facts.fingerprint import TableFacts, as_print
from restore_drill.facts.hashes import Column, row_hash
from restore_drill.facts.plan import PAGE
from restore_drill.facts.session import Connection

UNSTABLE = ("regproc", "regoper")
"""Types whose text depends on what else the server has."""

COLUMNS = """
    WITH RECURSIVE unstable (oid, name) AS (
        SELECT t.oid, t.typname FROM pg_type t
        WHERE t.typname = ANY (%s) AND t.typnamespace = 'pg_catalog'::regnamespace
        UNION
        SELECT holder.oid, unstable.name
        FROM unstable, LATERAL (
            SELECT t.oid FROM pg_type t
            WHERE t.typbasetype = unstable.oid
                OR (t.typelem = unstable.oid AND t.typsubscript::text = 'array_subscript_handler')
            UNION ALL
            SELECT c.reltype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.atttypid = unstable.oid AND a.attnum > 0 AND c.reltype <> 0
            UNION ALL
            SELECT r.rngtypid FROM pg_range r WHERE r.rngsubtype = unstable.oid
            UNION ALL
            SELECT r.rngmultitypid FROM pg_range r WHERE r.rngtypid = unstable.oid
        ) holder
    )
    SELECT a.attrelid, a.attname, CASE WHEN a.atttypid < 16384 THEN t.typname ELSE '' END,
        unstable.name
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN unstable ON unstable.oid = a.atttypid
    WHERE a.attrelid = ANY (%s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attgenerated <> 'v'
    ORDER BY a.attrelid, a.attname COLLATE "C"
"""

SIZES = """
    SELECT c.oid, CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid)
        + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) ELSE 0 END
    FROM pg_class c WHERE c.oid = ANY (%s::oid[])
"""
"""Without the smaller forks, for which pg_table_size looks at six more files a table."""

LARGE_OBJECTS = """
    SELECT count(*), coalesce(sum(size), 0)::bigint, coalesce(sum(content), 0)::text,
        coalesce(sum(hashtextextended(rights, 0)), 0)::text
    FROM (
        SELECT sized.oid, size, rights, (
            SELECT sum(hashtextextended(concat_ws(':', sized.oid, start,
                encode(sha256(lo_get(sized.oid, start, 1048576)), 'hex')), 0))
            FROM generate_series(0, greatest(size - 1, 0), 1048576) start
        ) AS content
        FROM (
            SELECT oid, rights, lo_lseek64(fd, 0, 2) AS size, lo_close(fd)
            FROM (
                SELECT m.oid, lo_open(m.oid, 262144) AS fd,
                    concat_ws(' ', m.oid, pg_get_userbyid(m.lomowner), (
                        SELECT string_agg(concat_ws(' ', CASE WHEN x.grantee <> 0
                            THEN pg_get_userbyid(x.grantee) END, x.privilege_type, x.is_grantable),
                            ', ' ORDER BY pg_get_userbyid(x.grantee), x.privilege_type)
                        FROM aclexplode(coalesce(m.lomacl, acldefault('L', m.lomowner))) x
                    )) AS rights
                FROM pg_largeobject_metadata m OFFSET 0
            ) opened OFFSET 0
        ) sized
    ) hashed
"""


EFFORT = 4.0
"""What the fingerprints of a page cost with its count, where the count alone costs 1."""


class Hashed(NamedTuple):
    """A table whose content has fingerprints; `size` in bytes with its toast."""

    table: Table
    size: int
    columns: list[Column]

    @property
    def name(self) -> str:
        """`schema.table`."""
        return self.table.full_name

    @property
    def label(self) -> str:
        """`content of public.cards`."""
        return f"content of {self.name}"

    @property
    def pages(self) -> int:
        """Pages that are read."""
        return self.size // PAGE

    @property
    def compared(self) -> list[Column]:
        """Columns that have a fingerprint."""
        return [column for column in self.columns if column.unstable is None]

    def query(self, *others: str) -> str:
        """Query that gives its row count, `others`, and the sums over its rows and its columns.

        `others` are aggregates over its columns, taken in the same pass.
        """
        relation = f"{quoted(self.table.schema)}.{quoted(self.table.name)}"
        counts = ", ".join(("count(*)", *others))
        if not self.compared:
            return f"SELECT {counts} FROM ONLY {relation}"
        prefix = "h"
        while any(column.name.startswith(prefix) for column in self.columns):
            prefix += "h"
        names = [f"{prefix}{number}" for number, _ in enumerate(self.compared)]
        sums = ", ".join(f"sum({name})::text" for name in (row_hash(names), *names))
        hashes = [f"{each.hash} AS {name}" for each, name in zip(self.compared, names, strict=True)]
        values = ", ".join([*hashes, *(["*"] if others else [])])
        return (
            f"SELECT {counts}, {sums} FROM (SELECT {values} FROM ONLY {relation} OFFSET 0) hashed"
        )

    def facts(self, row: tuple[Any, ...]) -> TableFacts:
        """Facts from what `query` gave; sums over no value are null and count as zero."""
        rows, *sums = row
        prints = [as_print(int(each or 0)) for each in sums]
        names = [column.name for column in self.compared]
        return TableFacts(
            rows=rows,
            content=prints[0] if prints else "",
            columns=dict(zip(names, prints[1:], strict=True)),
            is_refreshed=self.table.kind == "m",
        )

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """What of it has no fingerprint, and why."""
        if self.table.kind == "f":
            return [(f"rows of {self.name}", "a foreign table: its rows are on another server")]
        return [
            (
                f"column {self.name}.{part_of(column.name)}",
                f"the text of {column.unstable} has no stable text",
            )
            for column in self.columns
            if column.unstable is not None
        ]


def hashed_tables(connection: Connection, tables: Sequence[Table]) -> list[Hashed]:
    """All `tables` with their columns, by name."""
    oids = [each.oid for each in tables]
    sizes: dict[int, int] = dict(connection.execute(SIZES, [oids]).fetchall())
    columns: defaultdict[int, list[Column]] = defaultdict(list)
    for oid, *column in connection.execute(COLUMNS, [list(UNSTABLE), oids]):
        columns[oid].append(Column(*column))
    ordered = sorted(tables, key=lambda each: (each.schema, each.name))
    return [
        Hashed(each, sizes[each.oid], columns[each.oid]) for each in ordered if each.oid in sizes
    ]

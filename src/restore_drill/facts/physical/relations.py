"""Relations of a database that lie in files: tables, their TOAST tables, indexes, sequences."""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from restore_drill.core.names import joined, part_of
from restore_drill.facts.session import Connection

RELATIONS: LiteralString = """
    SELECT c.oid, coalesce(n.nspname, c.relnamespace::text), c.relname::text, c.relkind::text,
        coalesce(m.amname, '')::text, c.relpersistence::text, c.relisshared,
        pg_relation_filepath(c.oid), c.relpages, coalesce(i.indrelid, 0),
        coalesce(i.indisready AND i.indislive, true), coalesce(i.indisvalid, true),
        coalesce(i.indisvalid AND i.indpred IS NULL, false), coalesce(o.oid, 0)
    FROM pg_class c
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_am m ON m.oid = c.relam
    LEFT JOIN pg_index i ON i.indexrelid = c.oid
    LEFT JOIN pg_class o ON o.reltoastrelid = c.oid AND c.relkind = 't'
    WHERE c.relkind IN ('r', 'm', 't', 'i', 'S') AND c.relpersistence <> 't'
    ORDER BY c.relpages DESC, c.oid"""

KINDS = {"r": "table", "m": "materialised view", "t": "TOAST table", "S": "sequence", "i": "index"}
UNLOGGED = "u"
OWN_METHODS = ("", "heap", "btree", "hash", "gist", "gin", "spgist", "brin")
"""Access methods of PostgreSQL itself; one of an extension may keep something else in its pages."""
FIRST_OF_USER = 16384
"""First oid that is not PostgreSQL's own."""


class Relation(NamedTuple):
    """A relation of the database `prefix` (empty for the first one's, else `billing.`).

    `table` is the oid of an index's table, `owner` of a TOAST table's; an index that is not `ready`
    is kept up by nobody, one that is not `valid` has perhaps not all rows,
    one that `is_full` has every row.
    """

    prefix: str
    oid: int
    schema: str
    name: str
    kind: str
    method: str
    persistence: str
    is_shared: bool
    path: str | None
    pages: int
    table: int
    is_ready: bool
    is_valid: bool
    is_full: bool
    owner: int
    of: str = ""

    @property
    def full_name(self) -> str:
        """`public.cards`, with its database where that is not the first one."""
        return f"{self.prefix}{joined(self.schema, self.name)}"

    @property
    def is_index(self) -> bool:
        """Whether it is an index."""
        return self.kind == "i"

    @property
    def has_rows(self) -> bool:
        """Whether it is a table, TOAST table or materialised view in PostgreSQL's own format."""
        return self.kind in ("r", "m", "t") and self.method == "heap"

    @property
    def has_pages(self) -> bool:
        """Whether its pages are such as we know them."""
        return self.method in OWN_METHODS

    @property
    def is_catalog(self) -> bool:
        """Whether it is PostgreSQL's own."""
        return self.oid < FIRST_OF_USER

    @property
    def title(self) -> str:
        """`index public.cards_pkey on public.cards`, `TOAST table of public.cards`."""
        if self.kind == "t":
            return f"TOAST table of {self.of or self.full_name}"
        if self.is_index and self.of.startswith("TOAST"):
            return f"index of the {self.of}"
        on = f" on {self.of}" if self.is_index and self.of else ""
        return f"{KINDS[self.kind]} {self.full_name}{on}"


def read_relations(connection: Connection, database: str = "") -> list[Relation]:
    """Relations in files of the `database` that `connection` leads to, the largest first."""
    prefix = f"{part_of(database)}." if database else ""
    found = []
    for row in connection.execute(RELATIONS):
        shared = row[6]
        found.append(Relation("" if shared else prefix, *row))
    names = {each.oid: each.full_name for each in found}
    tables = {
        each.oid: each._replace(of=names.get(each.owner, "")) for each in found if each.kind == "t"
    }
    return [
        tables.get(each.oid)
        or (each._replace(of=of_index(each, names, tables)) if each.is_index else each)
        for each in found
    ]


def of_index(index: Relation, names: dict[int, str], toasts: dict[int, Relation]) -> str:
    """What an index is on: `public.cards`, or `TOAST table of public.cards`."""
    toast = toasts.get(index.table)
    return toast.title if toast else names.get(index.table, "")

"""What there is to be looked at in a restored database, read from its catalog at the start."""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString, NamedTuple

from restore_drill.backups.model import Contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.facts import blobs, bodies, catalog, keys, references, rows, storage, trust
from restore_drill.facts.catalog_reader import CatalogReader
from restore_drill.facts.model import Constraint
from restore_drill.facts.pool import Row, read_each

NotChecked = list[tuple[str, str]]

ELSEWHERE = "its rows lie on another server (foreign tables), which a drill does not touch"
UNENFORCED = "it is NOT ENFORCED: rows need not meet it"
COMPUTED = "the default of its column computes something else with its values"
FAR_PART = "what lies on other servers"
SHOWN = 5


class Listing(NamedTuple):
    """All that is read; what is not stands in `not_checked`.

    `unwritten` are unique constraints that the server itself cannot write down any more.
    """

    tables: list[catalog.Table]
    conditions: dict[int, list[rows.Condition]]
    foreign_keys: list[references.Key]
    uniques: list[keys.Key]
    counters: list[catalog.Counter]
    pointers: list[blobs.Pointer]
    views: list[bodies.View]
    functions: list[bodies.Function]
    schemas: str
    structures: list[storage.Structure]
    sequences_in_backup: frozenset[str]
    unwritten: list[Constraint]
    not_checked: NotChecked


def read_listing(
    reader: CatalogReader, contents: Contents | None, major: int, *, trusting: bool
) -> Listing:
    """Read the catalog, and leave out what cannot be checked here, with the reason.

    Where `trusting`, large indexes that the server has just built are not looked through.
    """
    out: NotChecked = []
    connection = reader.connection
    near = NearReader(reader)
    far = near.far
    tables = read_tables(reader)
    schemas = reader.rows("names of schemas", bodies.SCHEMAS)
    foreign_keys = []
    for key in (references.Key(*row) for row in near.rows("foreign keys", references.FOREIGN_KEYS)):
        if key.is_not_enforced:
            out.append((key.label, UNENFORCED))
        elif far & {key.table_oid, key.referenced_oid}:
            out.append((key.label, ELSEWHERE))
        else:
            foreign_keys.append(key)
    uniques = []
    nothing: tuple[list[Row], list[tuple[Row, str]]] = ([], [])
    found_keys, key_errors = reader.read(
        "keys",
        lambda: read_each(connection, keys.KEYS, "i.indexrelid", keys.KEY_IDS),
        nothing,
    )
    for unique in (keys.Key(*row) for row in found_keys):
        if unique.operators is None and not unique.is_comparable:
            out.append((unique.label, "its operator class has an equality of its own"))
        else:
            uniques.append(unique)
    views = [bodies.View(*row) for row in near.rows("views", bodies.VIEWS)]
    out += [(f"view {each.name}", ELSEWHERE) for each in views if each.oid in far]
    for (column,) in reader.rows("domains inside arrays", rows.HIDDEN_DOMAINS):
        out.append((f"column {column}", "the domains inside its arrays or composites"))
    counters = [catalog.Counter(*row) for row in near.rows("sequences", catalog.SEQUENCES)]
    out += [(f"sequence {each.full_name}", ELSEWHERE) for each in counters if each.table_oid in far]
    out += [(f"sequence {each.full_name}", COMPUTED) for each in counters if not each.is_plain]
    pointers = [
        blobs.Pointer(*row) for row in reader.rows("columns of large objects", blobs.POINTERS)
    ]
    found = [storage.Structure(*row) for row in reader.rows("storage", storage.STRUCTURES)]
    structures = choose_structures(found, major, out)
    trusted = trust.trusted_indexes(structures, uniques) if trusting else []
    if trusted:
        what = show_count(len(trusted), "large index", "large indexes")
        names = some([each.name for each in trusted])
        out.append((f"each row in {what}: {names}", trust.WHY))
    known = {each.oid for each in trusted}
    return Listing(
        tables=tables,
        conditions=reader.read("constraints", lambda: rows.read_conditions(connection), {}),
        foreign_keys=foreign_keys,
        uniques=[each for each in uniques if each.oid not in known],
        counters=[each for each in counters if each.is_plain and each.table_oid not in far],
        pointers=pointers,
        views=[each for each in views if each.oid not in far],
        functions=choose_functions(reader, out),
        schemas=(schemas and schemas[0][0]) or "pg_catalog",
        structures=[each._replace(is_deep=each.oid not in known) for each in structures],
        sequences_in_backup=frozenset(
            entry.full_name
            for entry in (contents.entries if contents else ())
            if entry.kind == "SEQUENCE SET"
        ),
        unwritten=[
            Constraint(table, "unique", name, None, error) for (_, table, name), error in key_errors
        ],
        not_checked=out,
    )


class NearReader:
    """Reads what may lie on other servers only where it is known what does: `far`, by oid."""

    def __init__(self, reader: CatalogReader) -> None:
        """Find out what lies there."""
        self.reader = reader
        self.far = {oid for (oid,) in reader.rows(FAR_PART, catalog.FAR)}

    def rows(self, part: str, query: LiteralString) -> list[Row]:
        """All rows of `query`, none where nobody knows which of them are far."""
        if FAR_PART in self.reader.unread:
            self.reader.unread[part] = self.reader.unread[FAR_PART]
            return []
        return self.reader.rows(part, query)


def read_tables(reader: CatalogReader) -> list[catalog.Table]:
    """All tables; every criterion rests on them: CouldNotRun where they cannot be listed."""
    found = [catalog.Table(*row) for row in reader.rows("tables", catalog.TABLES)]
    if "tables" in reader.unread:
        raise CouldNotRun(
            "the tables of the restored database could not be listed",
            checked=[reader.unread["tables"]],
            remedy=remedy_for("facts", "unread"),
        )
    return found


def choose_functions(reader: CatalogReader, out: NotChecked) -> list[bodies.Function]:
    """Functions whose language can resolve a body without running it; the others go to `out`."""
    found = [bodies.Function(*row) for row in reader.rows("functions", bodies.FUNCTIONS)]
    others: dict[str, list[str]] = {}
    for each in found:
        if each.language not in bodies.VALIDATORS:
            others.setdefault(each.language, []).append(each.name)
    for language, names in others.items():
        what = f"bodies of {show_count(len(names), 'function')} in {language}: {some(names)}"
        out.append((what, "only sql and plpgsql bodies are resolved"))
    if any(each.language == "plpgsql" for each in found):
        out.append(
            (
                "names inside the statements of plpgsql bodies",
                "plpgsql looks them up when a statement runs; syntax and declarations were checked",
            )
        )
    return [each for each in found if each.language in bodies.VALIDATORS]


def choose_structures(
    found: list[storage.Structure], major: int, out: NotChecked
) -> list[storage.Structure]:
    """Tables and indexes that amcheck reads in `major`; the others go to `out`."""
    others = [each for each in found if not storage.is_checked(each, major)]
    if others:
        methods = ", ".join(sorted({each.method for each in others}))
        what = f"storage of {show_count(len(others), 'relation')}: " + some(
            [each.name for each in others]
        )
        out.append((what, f"amcheck of PostgreSQL {major} does not read {methods}"))
    return [each for each in found if storage.is_checked(each, major)]


def some(names: Collection[str]) -> str:
    """First few of `names`."""
    shown = ", ".join(list(names)[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"

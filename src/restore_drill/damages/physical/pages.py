"""Damages to pages: of a copy of the smallest database, which the recovered server makes.

Nothing of it is in the server's memory, so that what is changed in its files is what is read. It
takes the room of that database, and a reading of that database alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

from psycopg import sql

from restore_drill.core.units import show_bytes
from restore_drill.damages.copies import copied
from restore_drill.damages.physical.model import PAGES, PageDamage, Untried
from restore_drill.facts.physical.databases import quiet
from restore_drill.facts.physical.examination import Examination
from restore_drill.facts.physical.examine import PAGE, examine_targets
from restore_drill.recovery.model import Recovered
from restore_drill.recovery.server import RecoveredServer
from restore_drill.servers import untrusted
from restore_drill.servers.cleanup import DATA
from restore_drill.servers.model import Target

TABLE, INDEX, CATALOG = "table", "index", "catalog"
SEGMENT = 131072
"""Pages of the first file of a table."""
LEAF = 1
"""Block of an index that is never its first, which describes it."""
DATABASES: LiteralString = """
    SELECT datname::text, oid::int, pg_database_size(oid) FROM pg_database
    WHERE datallowconn AND NOT datistemplate ORDER BY 3, 1"""
TABLES: LiteralString = """
    SELECT c.oid::regclass::text, pg_relation_filepath(c.oid), pg_relation_filepath(i.indexrelid)
    FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indisvalid
    WHERE c.oid >= 16384 AND c.relkind = 'r' AND c.relpersistence = 'p'
        AND pg_relation_filepath(c.oid) LIKE 'base/%%'
        AND pg_relation_filepath(i.indexrelid) LIKE 'base/%%' AND pg_relation_size(c.oid) > 0
        AND pg_relation_size(i.indexrelid) > %s
    ORDER BY pg_relation_size(c.oid) DESC, c.oid LIMIT 8"""
BLOCK = sql.SQL("SELECT (ctid::text::point)[0]::int FROM {} LIMIT 1")
CATALOG_ROW: LiteralString = """
    SELECT pg_relation_filepath('pg_catalog.pg_proc'), (ctid::text::point)[0]::int
    FROM pg_catalog.pg_proc WHERE proname = 'ts_rank_cd' LIMIT 1"""


@dataclass(frozen=True)
class Victim:
    """A database that is small enough for a copy, and in it a file and a block of each kind."""

    database: str
    places: dict[str, tuple[str, int]]
    checksums_on: bool


def victim_of(recovered: Recovered) -> Victim:
    """The smallest database with a table that has rows and a primary key; Untried for none."""
    server = recovered.server
    with server.target(server.entry).connect() as connection:
        databases = connection.execute(DATABASES).fetchall()
        row = connection.execute("SELECT current_setting('data_checksums') = 'on'").fetchone()
    for name, _, size in databases:
        if not (places := places_in(server.target(name))):
            continue
        free = shutil.disk_usage(server.run.path).free
        if size * 1.2 > free:
            raise Untried(
                f"a copy of {name}, the smallest database with a table, takes {show_bytes(size)}, "
                f"and {show_bytes(free)} are free"
            )
        return Victim(name, places, bool(row and row[0]))
    raise Untried("no database has a table with rows and a primary key")


def places_in(target: Target) -> dict[str, tuple[str, int]]:
    """Files that can be damaged in the database of `target`, each with a block that matters."""
    with target.connect() as connection:
        for table, file, index in connection.execute(TABLES, [PAGE]).fetchall():
            row = connection.execute(BLOCK.format(sql.SQL(table))).fetchone()
            catalog = connection.execute(CATALOG_ROW).fetchone()
            if row and row[0] < SEGMENT and catalog:
                return {TABLE: (file, row[0]), INDEX: (index, LEAF), CATALOG: tuple(catalog)}
    return {}


@contextmanager
def examined_with(
    damage: PageDamage | None, recovered: Recovered, victim: Victim, jobs: int, folder: Path
) -> Iterator[Examination]:
    """Examination of a copy of the database of `victim` with that `damage`, None for none."""
    server = recovered.server
    if damage and damage.needs_checksums and not victim.checksums_on:
        raise Untried("this server has no checksums of pages")
    with copied(server.target(victim.database)) as copy:
        with server.target(server.entry).connect() as connection:
            query = "SELECT oid::int FROM pg_database WHERE datname = %s"
            row = connection.execute(query, [copy.conninfo["dbname"]]).fetchone()
        assert row is not None
        if damage:
            file, block = victim.places[damage.where]
            change(server, str(row[0]), Path(file).name, block, damage.do)
        target = quiet(copy)
        view = view_of(server.run.data, row[0], folder)
        yield examine_targets(view, [(victim.database, target)], jobs, lambda _: None)


def change(
    server: RecoveredServer, database: str, name: str, block: int, do: Callable[[int, int], None]
) -> None:
    """Let `do` change the file `name` of a database, which no session has read yet."""
    way = (DATA, "base", database)
    with untrusted.opened(server.run.path) as top, untrusted.opened_in(top, *way) as inner:
        descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=inner)
        try:
            do(descriptor, block)
        finally:
            os.close(descriptor)


def view_of(data: Path, database: int, folder: Path) -> Path:
    """Links in `folder` to what of the data directory `data` belongs to one database."""
    (folder / "base").mkdir()
    (folder / "base" / str(database)).symlink_to(data / "base" / str(database))
    (folder / "global").symlink_to(data / "global")
    shutil.copyfile(data / "PG_VERSION", folder / "PG_VERSION")
    for each in data.glob(f"pg_tblspc/*/PG_*/{database}"):
        link = folder / each.relative_to(data)
        link.parent.mkdir(parents=True)
        link.symlink_to(each)
    return folder


def zero(descriptor: int, block: int) -> None:
    """Make the page all zeros."""
    os.pwrite(descriptor, bytes(PAGE), block * PAGE)


def cut(descriptor: int, block: int) -> None:
    """Lose the page, and all behind it."""
    os.ftruncate(descriptor, block * PAGE)


def flip(descriptor: int, block: int) -> None:
    """Change one bit near the end of the page, where its first row is."""
    at = (block + 1) * PAGE - 20
    os.pwrite(descriptor, bytes([os.pread(descriptor, 1, at)[0] ^ 0x01]), at)


PAGE_DAMAGES = (
    PageDamage("zeroed_page", "a page of a table is all zeros", PAGES, TABLE, zero),
    PageDamage("zeroed_index_page", "a page of an index is all zeros", PAGES, INDEX, zero),
    PageDamage("zeroed_catalog_page", "a page of the system catalog is all zeros", PAGES,
               CATALOG, zero),
    PageDamage("cut_table", "pages at the end of a table are missing", PAGES, TABLE, cut),
    PageDamage("flipped_bit_in_row", "one bit in a row has changed", PAGES, TABLE, flip,
               needs_checksums=True),
)  # fmt: skip

"""Index to heap: every entry of every B-tree index meets a row, read from the files themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from restore_drill.facts.physical.checksum import PAGE
from restore_drill.facts.physical.entries import places_of
from restore_drill.facts.physical.files import Fork, list_files, read_pages
from restore_drill.facts.physical.lines import Lines
from restore_drill.facts.physical.relations import Relation
from tests.helpers.physical import majors
from tests.helpers.shapes_of_files import Files, files_of

ENTRIES = """
    SELECT i.place::text, count(*)::int
    FROM generate_series(1, pg_relation_size('{0}') / {1} - 1) page,
        bt_page_stats('{0}', page::{2}) s,
        LATERAL (
            SELECT unnest(coalesce(i.tids, ARRAY[i.htid])) FROM bt_page_items('{0}', page::{2}) i
            WHERE i.itemoffset > 1 OR s.btpo_next = 0) i (place)
    WHERE s.btpo_flags & 1 = 1 AND s.btpo_flags & 28 = 0 GROUP BY 1"""
USED = """
    SELECT page::int, lp FROM generate_series(0, pg_relation_size('{0}') / {1} - 1) page,
        heap_page_items(get_raw_page('{0}', page::int)) WHERE lp_flags <> 0"""


TOAST, PROC, ATTRIBUTE = "TOAST table of public.wide", "proname_args_nsp", ("attnam", "attnum")


@pytest.fixture(scope="module", params=majors(18, 15))
def files(request: pytest.FixtureRequest) -> Iterator[Files]:
    """Files of a server with tables and indexes of many shapes."""
    with files_of(request.param) as found:
        yield found


def followed(files: Files) -> list[Relation]:
    """B-tree indexes of the database `shop` that hold anything."""
    return [
        each
        for each in files.relations
        if each.method == "btree" and not each.prefix and each.persistence == "p" and each.pages > 1
    ]


def fork_of(files: Files, relation: Relation) -> Fork:
    """Its main fork."""
    return list_files(files.data)[relation.path or ""]


def entries_of(files: Files, index: Relation) -> dict[str, int]:
    """Places that an index points to, by our own reading, with how often."""
    found: dict[str, int] = {}
    for first, pages in read_pages(files.data, fork_of(files, index)):
        for places in places_of(pages, first):
            for block, number in zip(places.blocks.tolist(), places.numbers.tolist(), strict=True):
                place = f"({block},{number})"
                found[place] = found.get(place, 0) + 1
    return found


def named(files: Files, query: str, relation: Relation) -> str:
    """`query` about `relation`, by its name as SQL has it."""
    kind = "int8" if files.server.binaries.major > 15 else "int4"
    name = files.server.sql(f"SELECT {relation.oid}::regclass::text")
    return query.format(name.replace("'", "''"), PAGE, kind)


def test_entries_are_those_that_the_server_shows(files: Files) -> None:
    """Lists, NULLs, INCLUDE, partial, dead, TOAST and catalogs: all that pageinspect has."""
    indexes = followed(files)
    assert len(indexes) > 60

    with files.server.connect() as connection:
        for index in indexes:
            theirs = dict(connection.execute(named(files, ENTRIES, index).encode()).fetchall())
            assert entries_of(files, index) == theirs, index.title


def test_lines_are_those_that_the_server_shows(files: Files) -> None:
    """Rows, redirects and dead ones are in use; all other places of a table are not."""
    tables = [each for each in files.relations if each.has_rows and not each.prefix and each.pages]
    assert len(tables) > 40

    with files.server.connect() as connection:
        for table in tables:
            fork = fork_of(files, table)
            lines = Lines(fork.pages)
            for first, pages in read_pages(files.data, fork):
                lines.add(first, pages)
            places = np.array(
                [(block, number) for block in range(fork.pages + 2) for number in range(300)]
            )
            lost = lines.lost(places[:, 0].astype(np.uint32), places[:, 1].astype(np.uint16))
            ours = {*map(tuple, np.delete(places, lost, axis=0).tolist())}
            theirs = connection.execute(named(files, USED, table).encode()).fetchall()
            assert ours == set(theirs), table.title


def test_healthy_files_have_no_finding(files: Files) -> None:
    """Whatever was updated, deleted, vacuumed or rolled back in them."""
    found = files.read()

    assert list(found.problems) == []
    assert found.dangling == []
    assert found.indexes > 400
    assert found.entries > 200_000


@pytest.mark.parametrize(
    ("table", "page", "indexes"),
    [
        (
            "few_values",
            3,
            {f"index public.few_values_{each}" for each in ("v", "w", "both", "part")},
        ),
        ("wide", 0, {"index public.wide_pkey"}),
        (TOAST, 1, {f"index of the {TOAST}"}),
        ("seen", 1, {"index public.seen_id_idx"}),
        ("parted_1", 2, {"index public.parted_1_pkey"}),
        ("pg_proc", 7, {f"index pg_catalog.pg_proc_{each}_index" for each in ("oid", PROC)}),
        ("pg_attribute", 9, {f"index pg_catalog.pg_attribute_relid_{e}_index" for e in ATTRIBUTE}),
        ("billing.public.invoices", 1, {"index billing.public.invoices_pkey"}),
    ],
)
@pytest.mark.parametrize("how", ["zeroed", "cut"])
def test_rows_that_are_gone_are_missed_by_their_indexes(
    files: Files, table: str, page: int, indexes: set[str], how: str
) -> None:
    """A page of zeros, or a file that ends early, which the server and amcheck take for empty."""
    path = files.path(table)
    with files.changed(path):
        with path.open("r+b") as file:
            file.seek(page * PAGE)
            if how == "zeroed":
                file.write(bytes(PAGE))
            else:
                file.truncate()
        found = files.read()

    assert {each.title.split(" on ")[0] for each in found.dangling} == indexes
    for each in found.dangling:
        assert each.blocks[0] == page
        assert 0 < each.entries <= each.all_entries
        assert f"block {page}" in each.problem or f"blocks {page}" in each.problem


def test_a_line_pointer_that_is_gone_is_missed(files: Files) -> None:
    """One row of a page, its pointer set to unused."""
    path = files.path("hot")
    with files.changed(path):
        with path.open("r+b") as file:
            file.seek(2 * PAGE + 24)
            file.write(bytes(4))
        found = files.read()

    (one,) = found.dangling
    assert (one.title, one.entries, one.blocks) == ("index public.hot_pkey on public.hot", 1, (2,))

"""Files of a data directory: pages whose bytes are wrong, files that are cut, short or gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.facts.physical.checksum import PAGE
from restore_drill.facts.physical.files import SEGMENT, Fork, list_files, read_pages
from tests.helpers.physical import majors
from tests.helpers.shapes_of_files import Files, files_of


@pytest.fixture(scope="module", params=majors(18, 15))
def files(request: pytest.FixtureRequest) -> Iterator[Files]:
    """Files of a server with checksums, and tables of many shapes."""
    with files_of(request.param, checksums=True) as found:
        yield found


def flip(path: Path, at: int, bit: int = 0) -> None:
    """Flip one bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        was = file.read(1)[0]
        file.seek(at)
        file.write(bytes([was ^ 1 << bit]))


def test_healthy_files_have_the_checksums_of_their_server(files: Files) -> None:
    """Of all forks of all relations of all databases, in its tablespace too."""
    found = files.read(checksums_on=True)

    assert list(found.problems) == []
    assert found.pages > 5000


@pytest.mark.parametrize(
    ("name", "fork", "place", "title"),
    [
        ("bare", "", 1000, "table public.bare"),
        ("orders_by_customer", "", 6, "index public.orders_by_customer on public.orders"),
        ("events", "", 8191, "table public.events"),
        ("pg_class", "", 8, "table pg_catalog.pg_class"),
        ("customers_id_seq", "", 8180, "sequence public.customers_id_seq"),
        ("wide_tags", "", 500, "index public.wide_tags on public.wide"),
        ("gone", "_vm", 1000, "visibility map of table public.gone"),
        ("gone", "_fsm", 40, "free space map of table public.gone"),
        ("cache_pkey", "_init", 30, "empty state of index public.cache_pkey on public.cache"),
    ],
)
def test_any_bit_of_any_file_is_noticed(
    files: Files, name: str, fork: str, place: int, title: str
) -> None:
    """Of a row, a header, a map, of what the page stores as its checksum."""
    path = files.path(name, fork)
    with files.changed(path):
        flip(path, place)
        (problem,) = files.read(checksums_on=True).problems

    assert problem == f"{title}: checksum of 1 page (block 0) is wrong"


def test_a_page_of_another_place_is_noticed(files: Files) -> None:
    """Its checksum holds its block's number."""
    path = files.path("orders")
    with files.changed(path):
        content = path.read_bytes()
        path.write_bytes(content[:PAGE] * 2 + content[2 * PAGE :])
        found = files.read(checksums_on=True)

    assert [each.problem for each in found.bad] == [
        "table public.orders: checksum of 1 page (block 1) is wrong"
    ]


def test_a_header_that_makes_no_sense_is_noticed_without_checksums(files: Files) -> None:
    """The server refuses such a page, too."""
    path = files.path("orders")
    with files.changed(path):
        flip(path, PAGE + 15, 7)
        flip(path, 2 * PAGE + 11, 1)
        found = files.read()

    assert [each.problem for each in found.bad] == [
        "table public.orders: header of 2 pages (blocks 1, 2) is wrong"
    ]


def test_a_file_that_ends_within_a_page_is_noticed(files: Files) -> None:
    """The server takes the rest for nothing."""
    path = files.path("bare")
    with files.changed(path):
        with path.open("r+b") as file:
            file.truncate(PAGE + 100)
        found = files.read()

    (cut,) = found.cut
    assert cut.startswith("table public.bare: its file base/")
    assert cut.endswith(" ends within a page (8,292 bytes)")


@pytest.mark.parametrize("name", ["bare", "orders_pkey", "events", "wide_hash", "events_id_seq"])
def test_a_file_that_is_gone_is_named(files: Files, name: str) -> None:
    """Of a table, an index, in a tablespace, a sequence."""
    path = files.path(name)
    with files.changed(path):
        path.unlink()
        found = files.read()

    (missing,) = found.missing
    assert f" public.{name}" in missing
    assert missing.endswith(f"its file {path.relative_to(files.data)} is missing")


@pytest.mark.parametrize("how", ["zeroed", "cut"])
def test_pages_that_vacuum_has_seen_are_missed_without_an_index(files: Files, how: str) -> None:
    """The visibility map knows of them."""
    files.server.sql("VACUUM bare")
    files.server.sql("CHECKPOINT")
    path = files.path("bare")
    vm = path.with_name(f"{path.name}_vm")
    shutil.copy(files.server.data / vm.relative_to(files.data), vm)
    try:
        with files.changed(path):
            with path.open("r+b") as file:
                file.seek(4 * PAGE)
                if how == "zeroed":
                    file.write(bytes(PAGE))
                else:
                    file.truncate()
            found = files.read()
    finally:
        vm.unlink()

    (lost,) = found.lost
    assert lost.blocks[0] == 4
    assert lost.problem.startswith("table public.bare: all zero or behind its end, and VACUUM has")


def test_zero_pages_of_a_table_without_an_index_are_told(files: Files) -> None:
    """Nothing can say whether a crash has left them, or damage."""
    path = files.path("bare")
    with files.changed(path):
        with path.open("r+b") as file:
            file.seek(4 * PAGE)
            file.write(bytes(2 * PAGE))
        found = files.read(checksums_on=True)

    assert list(found.problems) == []
    (zero,) = (each for each in found.zero if not each.decided)
    assert zero.told.startswith("all zero: 2 pages (blocks 4, 5) of table public.bare: a crash")


def test_segments_that_do_not_follow_each_other_are_named() -> None:
    """One that is missing or not full, with another behind it; empty ones behind are none."""
    full = SEGMENT * PAGE

    def faults(**sizes: int) -> list[str]:
        return list(Fork("base/1/7", "", {int(n[1:]): size for n, size in sizes.items()}).faults())

    assert faults(s0=full, s1=full, s2=PAGE) == []
    assert faults(s0=PAGE, s1=0, s2=0) == []
    assert faults(s0=full, s2=PAGE) == ["its file base/1/7.1 is missing, and base/1/7.2 is there"]
    assert faults(s0=full - PAGE, s1=PAGE) == [
        "its file base/1/7 has 1,073,733,632 bytes, and base/1/7.1 follows"
    ]
    assert Fork("x", "", {0: full, 1: 3 * PAGE}).pages == SEGMENT + 3
    assert Fork("x", "", {0: PAGE, 1: 3 * PAGE}).pages == 1


def test_pages_of_all_segments_are_read_in_order(tmp_path: Path) -> None:
    """A relation of more than a gigabyte: its blocks go on in the next file."""
    (tmp_path / "base/1").mkdir(parents=True)
    (tmp_path / "PG_VERSION").write_text("15\n")
    for name, pages in (("7", SEGMENT), ("7.1", 2)):
        with (tmp_path / "base/1" / name).open("wb") as file:
            file.truncate(pages * PAGE)
            file.seek((pages - 1) * PAGE)
            file.write(b"x")
    (fork,) = list_files(tmp_path).values()
    marked = [
        first + at
        for first, pages in read_pages(tmp_path, fork)
        for at in range(len(pages))
        if pages[at, 0] == ord("x")
    ]

    assert marked == [SEGMENT - 1, SEGMENT + 1]


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    """The code of a database may put a link or a pipe in a file's place."""
    (tmp_path / "base/1").mkdir(parents=True)
    (tmp_path / "PG_VERSION").write_text("15\n")
    (tmp_path / "base/1/7").symlink_to("/dev/zero")

    assert list_files(tmp_path) == {}

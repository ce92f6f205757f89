"""A page of a table is damaged: docs/worst-day/damaged-page.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.servers.model import Target
from tests.helpers.live import databases, rows_of
from tests.worst_day.conftest import Follow, drop

PAGE = 8192


@pytest.fixture
def damaged(shop: Target) -> Target:
    """The shop with a newer card, whose first page of cards is garbage."""
    with shop.connect() as connection:
        connection.execute("INSERT INTO cards (artist_id, title) VALUES (1, 'after the backup')")
    with table_file(shop, "cards").open("r+b") as pages:
        pages.write(b"\xde\xad" * (PAGE // 2))
    return shop


def table_file(shop: Target, table: str) -> Path:
    """File of a table with some pages.

    The shop is copied as files, so that the server has none of the pages in its memory.
    """
    with shop.connect(dbname="postgres") as connection:
        connection.execute("ALTER DATABASE shop RENAME TO shop_whole")
        connection.execute("CREATE DATABASE shop TEMPLATE shop_whole STRATEGY file_copy")
        connection.execute("ALTER DATABASE shop OWNER TO shop_app")
        data = connection.execute("SHOW data_directory").fetchone()
    drop(shop, "shop_whole")
    with shop.connect() as connection:
        file = connection.execute("SELECT pg_relation_filepath(%s)", [table]).fetchone()
    assert data is not None and file is not None
    path = Path(str(data[0])) / str(file[0])
    assert path.stat().st_size > PAGE
    return path


def test_page_saves_what_can_be_read(damaged: Target, follow: Follow) -> None:
    """In place is refused; a promotion keeps every file; the readable pages come over."""
    page = follow("damaged-page")
    first = page.steps[0]
    had = databases(damaged)
    in_place = "restore-drill --target database --in-place --confirm shop"
    shown = ("so nothing was touched", "invalid page in block 0 of relation", "--promote")
    page.steps.insert(0, first._replace(command=in_place, shown=shown))

    page.follow(6)

    assert databases(damaged) == had

    output = page.follow()

    assert "public.artists could not be compared" not in output
    (kept,) = [each for each in databases(damaged) if each.startswith("shop_before_")]
    assert rows_of(damaged, "shop", "cards") == 200
    page.environment["OLD"] = page.environment["DATABASE_URL"].replace("/shop", f"/{kept}")
    (page.folder / "readable-rows.sql").write_text(page.shown("sql"))
    page.cwd = page.folder
    while not page.is_at_its_end():
        page.follow()

    with damaged.connect() as connection:
        query = "SELECT count(*), max(title) FILTER (WHERE id = 201) FROM cards"
        assert connection.execute(query.encode()).fetchone() == (201, "after the backup")
        query = "INSERT INTO cards (artist_id) VALUES (1) RETURNING id"
        assert connection.execute(query.encode()).fetchone() == (202,)
        assert connection.execute("SELECT to_regclass('cards_readable')").fetchone() == (None,)


def test_rows_are_read_whatever_the_error(shop: Target, follow: Follow) -> None:
    """A row of a transaction that the server knows nothing of is no data_corrupted."""
    with shop.connect() as connection:
        connection.execute(b"""
            CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY, body text,
                long int GENERATED ALWAYS AS (length(body)) STORED);
            INSERT INTO notes (body) SELECT repeat('x', 100) FROM generate_series(1, 200);
        """)
    with table_file(shop, "notes").open("r+b") as pages:
        page = bytearray(pages.read(PAGE))
        row = int.from_bytes(page[24:28], "little") & 0x7FFF  # offset in the first line pointer
        page[row : row + 4] = (0xF0000000).to_bytes(4, "little")  # who inserted it
        page[row + 21] &= 0xFC  # and that it is not known to have ended
        pages.seek(0)
        pages.write(page)
    damaged = follow("damaged-page")
    (damaged.folder / "readable-rows.sql").write_text(damaged.shown("sql"))
    damaged.cwd, damaged.done = damaged.folder, 1
    damaged.environment["OLD"] = damaged.environment["DATABASE_URL"]
    damaged.steps[1] = damaged.steps[1]._replace(
        shown=("page 0 of notes cannot be read: could not access status of transaction",)
    )

    damaged.follow(names={"public.cards": "public.notes"})

    rows = (damaged.folder / "cards.rows").read_text().splitlines()
    assert 100 < len(rows) < 200
    assert rows[-1] == f"200\t{'x' * 100}\t100"

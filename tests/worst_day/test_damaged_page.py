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
    """The shop with a newer card, whose first page of cards is garbage.

    Copied as files, so that the server has none of the pages in its memory.
    """
    with shop.connect() as connection:
        connection.execute("INSERT INTO cards (artist_id, title) VALUES (1, 'after the backup')")
    with shop.connect(dbname="postgres") as connection:
        connection.execute("ALTER DATABASE shop RENAME TO shop_whole")
        connection.execute("CREATE DATABASE shop TEMPLATE shop_whole STRATEGY file_copy")
        connection.execute("ALTER DATABASE shop OWNER TO shop_app")
        data = connection.execute("SHOW data_directory").fetchone()
    drop(shop, "shop_whole")
    with shop.connect() as connection:
        file = connection.execute("SELECT pg_relation_filepath('cards')").fetchone()
    assert data is not None and file is not None
    path = Path(data[0]) / file[0]
    assert path.stat().st_size > PAGE
    with path.open("r+b") as pages:
        pages.write(b"\xde\xad" * (PAGE // 2))
    return shop


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
    for _ in range(3):
        page.follow()

    assert page.is_at_its_end()
    with damaged.connect() as connection:
        query = "SELECT count(*), max(title) FILTER (WHERE id = 201) FROM cards"
        assert connection.execute(query.encode()).fetchone() == (201, "after the backup")

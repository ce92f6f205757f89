"""The database was dropped: docs/worst-day/database-dropped.md."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from restore_drill.live.absent import open_live_at
from restore_drill.live.beside.anew import made_anew
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.model import Target
from tests.helpers.live import PASSWORD, databases, rows_of, url_of
from tests.helpers.shop import pg_dump
from tests.worst_day.conftest import Follow, drop


def test_page_brings_the_database_back(shop: Target, follow: Follow) -> None:
    """One command; the way back renames; a name that is not there is no wish for a new one."""
    drop(shop, "shop")
    page = follow("database-dropped")

    page.follow()

    made = databases(shop)
    assert [name for name in made if name.startswith("shop")] == ["shop"]
    assert made["shop"] == ""
    assert rows_of(shop, "shop", "cards") == 200
    with shop.connect() as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
        query = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop'"
        assert connection.execute(query.encode()).fetchone() == ("shop_app",)

    page.follow()

    (undone,) = [name for name in databases(shop) if name.startswith("shop")]
    assert undone.startswith("shop_undone_")
    assert rows_of(shop, undone, "cards") == 200

    page.follow(6)

    assert [name for name in databases(shop) if name.startswith("shop")] == [undone]
    assert page.is_at_its_end()


@pytest.mark.parametrize(
    ("options", "owner"), [((), ""), (("--create",), "shop_app")], ids=["alone", "--create"]
)
def test_plain_dump_has_what_it_was_taken_with(
    options: tuple[str, ...], owner: str, shop: Target, tmp_path: Path
) -> None:
    """Owner and locale with --create, else neither."""
    path = pg_dump(shop, tmp_path / "backup_shop.sql", *options)
    drop(shop, "shop")
    admin = url_of(shop, f"admin:{PASSWORD}")

    absent = open_live_at(admin, lambda _: shop.binaries)
    made = made_anew(absent, as_backup(look_at(path, UTC)))

    assert absent.is_absent
    assert made.options["ENCODING"] == "UTF8"
    assert ("LC_COLLATE" in made.options) == bool(options)
    assert made.owner == owner


def test_drill_beside_a_missing_database_makes_none(shop: Target, follow: Follow) -> None:
    """It restores, reports that there is no live database, and drops its copy."""
    drop(shop, "shop")
    had = databases(shop)
    page = follow("database-dropped")
    command = page.steps[0].command.replace(" --promote --confirm shop", "")
    shown = ("There is no database shop on the server",)
    page.steps[0] = page.steps[0]._replace(command=f"{command} -k has_rows", shown=shown)

    page.follow()

    assert databases(shop) == had

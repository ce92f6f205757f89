"""What a named database is of: what its drill looks at, and no more of its place than that."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.watch.entry import note
from tests.fleet.inventory.conftest import Load
from tests.fleet.inventory.test_in_full import DISCOVER, lay, rest_of
from tests.helpers.histories import PASSED

BROKEN = b"pg_dump: error: connection refused\n"
SHOP = '[databases.shop]\nbackups = "{}"\n'


@pytest.mark.parametrize(
    ("named", "good", "broken", "found"),
    [
        (
            'backups = "b"\nseries = "shop"\n',
            ["east/shop_20261130_0900.sql"],
            ["west/shop_20261130_0900.sql"],
            ["west/shop"],
        ),
        (
            'backups = "b"\n',
            ["shop_20261130_0900.sql", "crm_20260901_0900.sql"],
            ["hr_20261130_0900.sql"],
            ["b/crm", "b/hr"],
        ),
        (
            'backups = "b/crm"\n',
            ["crm/db/x_20261130.sql", "shop/s_20261130.sql", "crm/redis/z.sql"],
            ["crm/y/z_20261130.sql"],
            ["crm/redis/z", "crm/y/z", "shop/s"],
        ),
        (
            'backups = "b/crm"\n',
            ["crm/x_20261130.sql", "shop/s_20261130.sql"],
            ["crm/latest.sql"],
            ["shop/s"],
        ),
    ],
)
def test_a_database_is_of_what_its_drill_looks_at(
    load: Load, tmp_path: Path, named: str, good: list[str], broken: list[str], found: list[str]
) -> None:
    """Not of a series that is called alike, put aside, or beside the folder db."""
    lay(tmp_path, *good)
    lay(tmp_path, *broken, data=BROKEN)
    inventory = load(f"[databases.named]\n{named}{DISCOVER}")
    assert (sorted(inventory.undecided), rest_of(inventory)) == (found, "")


@pytest.mark.parametrize("series", ['series = "shop"\n', ""])
def test_a_folder_that_was_not_searched_is_known_as_far_as_drills_look(
    load: Load, tmp_path: Path, series: str
) -> None:
    """What else lies in it is told."""
    lay(tmp_path, "stray_20261130.sql", "pg/shop_20261130.sql", "pg/shop_20261129.sql")
    lay(tmp_path, "pg/latest.sql", data=(tmp_path / "b" / "pg" / "shop_20261130.sql").read_bytes())
    named = SHOP.format("b/pg") + series
    assert rest_of(load(named + DISCOVER)) == ""
    lay(tmp_path, "pg/old/hr.sql")
    assert "in it is pg/old/hr.sql" in rest_of(load(named + DISCOVER))
    (tmp_path / "b" / "pg" / "old" / "hr.sql").unlink()
    lay(tmp_path, "pg/crm_20261130.sql", data=BROKEN)
    assert "in it is pg/crm_20261130.sql" in rest_of(load(named + DISCOVER))


def test_many_named_folders_are_listed_once(load: Load, tmp_path: Path) -> None:
    """Their drills are asked of what the place above shows, or where that was not searched."""
    names = [f"d{number}" for number in range(500)]
    lay(tmp_path, "../stray.sql", *(f"{name}/x_20261128.sql" for name in names))
    named = "".join(f'[databases.{name}]\nbackups = "b/{name}"\n' for name in names[1:])
    for path in (tmp_path / "b").rglob("*.sql"):
        os.utime(path, (1e9, 1e9))  # young ones are measured twice
    begin = time.process_time()
    assert load(named + DISCOVER).undecided == ("d0/x",)
    (tmp_path / "stray.sql").rename(tmp_path / "b" / "stray.sql")
    assert "in it is d0/x_20261128.sql" in rest_of(load(named + DISCOVER))
    assert time.process_time() - begin < 4


def test_what_has_vanished_is_of_no_database_that_finds_another(load: Load, tmp_path: Path) -> None:
    """It is of one that names it, or whose drill does not begin since there are several."""
    lay(tmp_path, "shop_20261130.sql")
    (tmp_path / "b" / ".drill").mkdir()
    drill = replace(PASSED, series="b/crm", place=None, sha256="0")
    note(tmp_path / "b" / ".drill" / "history.jsonl", drill)
    text = SHOP.format("b") + DISCOVER
    assert load(text).undecided == ("b/crm",)
    named = '[databases.crm]\nbackups = "b"\nseries = "crm"\n'
    assert load(named + text).undecided == ()
    lay(tmp_path, "hr_20261130.sql")
    assert load(text).undecided == ()

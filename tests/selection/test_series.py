"""Series and folders: backups of several databases in one place are kept apart."""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path

import pytest

from restore_drill.selection.groups import in_series
from restore_drill.selection.series import name_in_series
from restore_drill.selection.tree import list_folder
from tests.helpers.folders import DUMP, backup_in, name_of
from tests.helpers.shop import Shops, pg_dump


def test_empty_newest_of_a_series_is_red(tmp_path: Path, report_dir: Path) -> None:
    """The job has failed where the newest backup is empty, however good the one before it is."""
    (tmp_path / "db_20260102.sql").write_bytes(DUMP)
    (tmp_path / "db_20260103.sql").touch()

    drill = backup_in(tmp_path, report_dir)

    assert drill.code == 1, drill.output
    assert set(drill.failed) == {"test_backup_is_not_empty"}
    assert name_of(drill) == "db_20260103.sql"


def test_series_are_kept_apart(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """Sizes are compared within a series, and the series that is not drilled is said."""
    shop = shops.dump(15, "plain.sql").read_bytes()
    for day in (1, 2, 3):
        (tmp_path / f"shop_2026010{day}_030000.sql").write_bytes(shop)
        (tmp_path / f"auth_2026010{day}_030500.sql").write_bytes(DUMP)

    drill = backup_in(tmp_path, report_dir, "--series=auth")
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[backup]\nname = "shop_*"\n')
    picked = backup_in(tmp_path, report_dir, f"--criteria={criteria}")
    criteria.write_text('[backup]\nname = "billing_*"\n')
    none = backup_in(tmp_path, report_dir, f"--criteria={criteria}")

    assert drill.code == 0, drill.output
    assert "Using backup: auth_20260103_030500.sql" in drill.output
    told = "another series of backups: shop_*.sql (3 backups, newest shop_20260103_030000.sql"
    assert f"Not drilled: {told}" in drill.output
    assert "pytest drill/ --series test_series_are_kept_apart0/shop" in drill.output
    assert picked.code == 0, picked.output
    assert "Using backup: shop_20260103_030000.sql" in picked.output
    assert "another series of backups: auth_*.sql (3 backups" in picked.output
    assert none.code == 1
    assert "matches the pattern 'billing_*'" in none.output


def test_databases_under_one_name_are_kept_apart(shops: Shops, tmp_path: Path) -> None:
    """Archives whose names differ by their time alone are two series where they say so."""
    other = pg_dump(
        shops.database(15, "another"), tmp_path / "20260102_0305.dump", "--format=custom"
    )
    first = tmp_path / "20260102_0300.dump"
    first.write_bytes(shops.dump(15, "custom.dump").read_bytes())

    series = in_series(list_folder(tmp_path, UTC).found)

    assert [[each.path for each in one] for one in series] == [[other], [first]]
    assert [one[0].database for one in series] == ["another", "shop"]


SAME = {
    "shop": ["shop_20261128_030000.sql.gz", "shop-2026-11-27T03-00-00Z.dump", "shop.1.sql",
             "shop_daily_20261128.sql", "shop-mon.dump", "shop_1764291600.sql"],
    "shop2": ["shop2_20261128.dump"],
    "": ["2026-11-28.sql", "latest.dump", "42.dump"],
}  # fmt: skip


def test_series_by_name() -> None:
    """Times, numbers that stand alone and words of time make no series; what stays does."""
    found = {name: {name_in_series(Path(each)) for each in names} for name, names in SAME.items()}

    assert found == {name: {name} for name in SAME}


@pytest.mark.parametrize("layout", ["2026-01-0{}/shop.sql", "daily/shop_2026010{}.sql"])
def test_folders_are_searched(layout: str, tmp_path: Path, report_dir: Path) -> None:
    """Folders per day, or by how often, are looked into where no backup lies directly."""
    for day in (1, 2):
        path = tmp_path / layout.format(day)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(DUMP)
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "pre_drill_snapshot_20260909_000000.sql").write_bytes(DUMP)

    drill = backup_in(tmp_path, report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["backup"]["path"].endswith(layout.format(2))
    assert drill.result["backup"]["taken_at"].startswith("2026-01-02")
    assert "another series" not in drill.output


def test_deeper_folders_are_named(tmp_path: Path, report_dir: Path) -> None:
    """What lies too deep is not found, and where it lies is reported."""
    deep = tmp_path / "site" / "host" / "pg" / "main" / "shop"
    deep.mkdir(parents=True)
    (deep / "x.sql").write_bytes(DUMP)

    drill = backup_in(tmp_path, report_dir)

    assert drill.code == 1
    assert f"should BACKUP_PATH be {deep}?" in drill.output


LAYOUTS: dict[str, dict[str, list[str]]] = {
    "a folder for each day": {"/db": ["2026-01-02/db.sql", "2026-01-01/db.sql"]},
    "several databases in it": {
        "/auth": ["2026-01-02/auth.sql", "2026-01-01/auth.sql"],
        "/shop": ["2026-01-02/shop.sql", "2026-01-01/shop.sql"],
    },
    "a tree of dates": {"/shop": ["2026/01/02/shop.sql", "2025/12/31/shop.sql"]},
    "times in folders of days": {"/db": ["2026-01-02/0500/db.sql", "2026-01-02/0100/db.sql"]},
    "by how often": {
        "/shop": ["daily/shop_20260102.sql", "weekly/shop_20251228.sql", "monthly/shop_202512.sql"]
    },
    "by database and how often": {
        "auth/auth_m": ["auth/daily/auth_2026-01-02_06h25m.Friday.sql"],
        "shop/shop_m": ["shop/daily/shop_2026-01-02_06h25m.Friday.sql",
                      "shop/weekly/shop_week.48.2025-12-28_06h25m.sql"],
    },
    "by database and day": {"shop/db": ["shop/2026-01-02/db.sql", "shop/2026-01-01/db.sql"]},
    "as pg_back names them": {
        "/shop": ["pg/shop_2026-01-02T00:00:00Z.sql", "pg/shop_2026-01-01T00:00:00Z.sql"],
        "/other": ["pg/other_2026-01-01T00:00:00Z.sql"],
    },
    "as Barman names them": {
        "/shop": ["20260102T050000/shop.sql", "20260101T050000/shop.sql"],
    },
}  # fmt: skip
"""Backups by their series, newest first, in the layouts that tools and scripts make."""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str, tmp_path: Path) -> None:
    """What changes with the day is no part of a series, and what does not is."""
    series = LAYOUTS[layout]
    for name in (name for names in series.values() for name in names):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DUMP)
        os.utime(path, (1.76e9, 1.76e9))  # before all of them: the time says nothing

    found = in_series(list_folder(tmp_path, UTC).found)

    wanted = {
        key.replace("/", "pg/") if "pg" in layout else key: each for key, each in series.items()
    }
    assert {one[0].series: [each.label for each in one] for one in found} == wanted


def test_a_hard_link_is_counted_once(tmp_path: Path) -> None:
    """A backup that is kept as a daily and as a weekly one is one, under the name with its date."""
    for name in ("daily", "weekly"):
        (tmp_path / name).mkdir()
    (tmp_path / "daily" / "shop-20260102.sql").write_bytes(DUMP)
    (tmp_path / "weekly" / "shop-202601.sql").hardlink_to(tmp_path / "daily" / "shop-20260102.sql")

    listing = list_folder(tmp_path, UTC)

    assert [each.label for each in listing.found] == ["daily/shop-20260102.sql"]
    line = "weekly/shop-202601.sql is daily/shop-20260102.sql by another name, counted once"
    assert line in listing.remarks


def test_roles_alone_are_passed_over(tmp_path: Path, report_dir: Path) -> None:
    """A newer dump of the roles is no backup of a database, and takes no other one's place."""
    (tmp_path / "db_20260102.sql").write_bytes(DUMP)
    (tmp_path / "globals_20260103.sql").write_bytes(
        b"--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE a;\n"
        b"--\n-- PostgreSQL database cluster dump complete\n--\n"
    )

    drill = backup_in(tmp_path, report_dir)

    assert name_of(drill) == "db_20260102.sql"
    assert "Skipped globals_20260103.sql: only roles and tablespaces" in drill.output

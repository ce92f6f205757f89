"""Series and folders: backups of several databases in one place are kept apart."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from restore_drill.backups.model import Backup
from restore_drill.config.settings import settings_from
from restore_drill.core.errors import BackupFault, UsageError
from restore_drill.selection.chosen import choose
from restore_drill.selection.groups import one_lost, shelf_of, to_drill
from restore_drill.selection.numbered import differ_by_number
from restore_drill.selection.schemes import in_series
from restore_drill.selection.series import name_in_series, series_of
from restore_drill.selection.tree import list_folder
from restore_drill.watch.append import append
from restore_drill.watch.entry import note
from restore_drill.watch.history import load_history
from restore_drill.watch.kept import expected_series, shelf_here
from restore_drill.watch.skips import Skip
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.folders import DUMP, backup_in, name_of
from tests.helpers.histories import NOW, PASSED, write
from tests.helpers.shop import USUAL, Shops, pg_dump


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


def test_a_series_of_which_nothing_is_left_is_red(tmp_path: Path, report_dir: Path) -> None:
    """Its retention went on when its job had stopped; until it is retired, the drill is red."""
    (tmp_path / "shop.sql").write_bytes(DUMP)
    crm = replace(PASSED, series="elsewhere/crm", backup="crm.sql")
    path = write(tmp_path, *(replace(crm, sha256=each * 64) for each in "ab"))

    drill = run_drill(report_dir=report_dir, BACKUP_PATH=str(tmp_path))

    assert drill.code == 1, drill.output
    assert f"no backup of the series elsewhere/crm is left in {tmp_path}" in drill.output
    assert "skip --retire --series elsewhere/crm " in drill.output
    last = {each.series: each.findings for each in load_history(path).drills}
    assert "no backup of the series" in str(last["elsewhere/crm"])
    assert "no backup of the series" not in str(last[f"{tmp_path.name}/shop"])
    append(path, Skip(NOW, "gone", "ann", "bob", None, "elsewhere/crm").as_json())
    alone = run_drill("-k", "complete", report_dir=report_dir, BACKUP_PATH=str(tmp_path))
    assert alone.code == 0 and "each is drilled by itself" not in alone.output


def test_what_may_be_of_another_machine_is_said(
    tmp_path: Path, report_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders of machines without a name cannot be told apart: what is gone is no failure."""
    monkeypatch.setenv("CI", "true")
    folder, history = tmp_path / "b", tmp_path / "h.jsonl"
    folder.mkdir()
    (folder / "shop.sql").write_bytes(DUMP)
    crm = replace(PASSED, series="b/crm", backup="crm.sql", place=str(folder))
    for each in "ab":
        note(history, replace(crm, sha256=each * 64))

    drill = run_drill(
        "-k", "complete", report_dir=report_dir, BACKUP_PATH=str(folder),
        DRILL_HISTORY=str(history), CI="true",
    )  # fmt: skip

    assert drill.code == 0, drill.output
    assert "Not drilled: the series b/crm, of which no backup is left here" in drill.output
    assert "tell them apart: --machine (DRILL_MACHINE)" in drill.output


SAME = {
    "shop": ["shop_20261128_030000.sql.gz", "shop-2026-11-27T03-00-00Z.dump", "shop.sql.1",
             "shop.sql.gz.12", "shop_daily_20261128.sql", "shop-mon.dump", "shop_1764291600.sql",
             "shop_28-11-2026.sql", "shop-28Nov2026.dump", "Nov-28-2026-shop.dump",
             "shop_261128.sql", "shop_202611.dump", "shop_2026-W48.sql", "shop_week.48.sql",
             "shop_20261128_2.dump", "shop_day_3.dump"],
    "shop2": ["shop2_20261128.dump"],
    "tenant_1": ["tenant_1.dump", "tenant_1_20261128.dump", "tenant-1.sql.gz", "tenant.1.sql"],
    "tenant_2": ["tenant_2.dump", "tenant_2_20261127.dump"],
    "customer_110203": ["customer_110203.dump"],
    "42": ["42.dump"],
    "": ["2026-11-28.sql", "latest.dump"],
}  # fmt: skip


def test_series_by_name() -> None:
    """Times and what belongs to them make no series; a number may be that of a customer."""
    found = {name: {name_in_series(Path(each)) for each in names} for name, names in SAME.items()}

    assert found == {name: {name} for name in SAME}


@pytest.mark.parametrize(
    ("path", "below", "series"),
    [
        ("/b/tenants/1/db.dump", 2, "tenants/1/db"),
        ("/b/2026/01/02/tenant_3.sql", 3, "/tenant_3"),
        ("/data/2026/tenants/11/db.dump", 2, "tenants/11/db"),
        ("/b/2026-11/28/shop.sql", 2, "/shop"),
        ("/b/2026-11-28/0500.dump", 1, "/"),
        ("/b/2026-11-28/1.dump", 1, "/1"),
        ("/b/daily.0/shop.sql", 1, "/shop"),
    ],
)
def test_numbers_of_folders(path: str, below: int, series: str) -> None:
    """They are left out where they are parts of a date, and nowhere else."""
    assert series_of(Path(path), below) == series


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize(
    "names",
    [["shop-1842.dump", "shop-1843.dump"], ["shop-3f9ac21.dump", "shop-88b01fe.dump"],
     [f"shop-{uuid}-4e5f-8a1b-0123456789ab.dump" for uuid in ("123e4567-e89b", "923e4567-1111")]],
)  # fmt: skip
def test_numbers_count_backups_where_that_is_said(
    names: list[str], tmp_path: Path, *, numbered: bool
) -> None:
    """`[backup] numbered`: else each may be a database of its own, which no other one hides."""
    for name in names:
        (tmp_path / name).write_bytes(DUMP)

    series = [
        one[0].series for one in in_series(list_folder(tmp_path, UTC).found, numbered=numbered)
    ]

    assert len(series) == (1 if numbered else 2)
    assert series == [f"{tmp_path.name}/shop"] if numbered else differ_by_number(series) == series


def test_each_customer_is_drilled(tmp_path: Path, report_dir: Path) -> None:
    """One whose backup is damaged is red, whatever the others are; the option is named."""
    (tmp_path / "tenant_1.dump").write_bytes(DUMP[:-40])
    (tmp_path / "tenant_2.dump").write_bytes(DUMP)

    drill = run_drill("-k", "complete", report_dir=report_dir, BACKUP_PATH=str(tmp_path))

    assert drill.code == 1
    assert f"FAILED        {tmp_path.name}/tenant_1" in drill.output
    assert re.search(f"(?m)^INCOMPLETE.* {tmp_path.name}/tenant_2 ", drill.output)
    assert "under [backup] in the criteria file: numbered = true" in drill.output


def test_a_renewed_series_that_stops_is_drilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single old backup was put aside, unless drills have seen its series renewed."""
    (tmp_path / "shop.sql").write_bytes(DUMP)
    (tmp_path / "crm.sql").write_bytes(DUMP)
    os.utime(tmp_path / "crm.sql", (1.76e9, 1.76e9))
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path))
    settings = settings_from({}, here=tmp_path, root=ROOT)
    shop, crm = (f"{tmp_path.name}/{name}" for name in ("shop", "crm"))
    once = replace(PASSED, series=crm, sha256="a" * 64)

    def chosen() -> list[str]:
        return to_drill(shelf_of(settings, lambda: expected_series(settings)), settings)

    assert chosen() == [shop]
    write(tmp_path, once, once)
    assert chosen() == [shop]
    path = write(tmp_path, replace(once, sha256="b" * 64))
    assert chosen() == [shop, crm]
    append(path, Skip(NOW, "gone", "ann", "bob", None, crm).as_json())
    assert chosen() == [shop]


def test_a_series_is_retired_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that status gives it where other places have one of that name."""
    here, there = tmp_path / "a" / "bk", tmp_path / "b" / "bk"
    here.mkdir(parents=True)
    (here / "shop.sql").write_bytes(DUMP)
    given = {"BACKUP_PATH": str(here), "DRILL_HISTORY": str(tmp_path / "h"), "DRILL_MACHINE": "m"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = settings_from({}, here=tmp_path, root=ROOT)
    path = settings.history
    assert path
    for folder in (here, there):
        for digest in "ab":
            note(path, replace(PASSED, series="bk/crm", sha256=digest * 64, place=f"m:{folder}"))
    assert shelf_here(settings).gone == ["bk/crm"]
    append(path, Skip(NOW, "gone", "ann", "bob", None, f"bk/crm (m:{there})").as_json())
    assert shelf_here(settings).gone == ["bk/crm"]
    append(path, Skip(NOW, "gone", "ann", "bob", None, f"bk/crm (m:{here})").as_json())
    assert shelf_here(settings).gone == []


def test_what_is_expected_is_not_known_without_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report_dir: Path, shops: Shops
) -> None:
    """The drill says so; a backup that it names may be older than one that has failed."""
    (tmp_path / "shop.sql").write_bytes(shops.dump(USUAL, "plain.sql").read_bytes())
    (tmp_path / ".drill" / "history.jsonl").mkdir(parents=True)
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path))
    settings = settings_from({}, here=tmp_path, root=ROOT)
    found = choose(settings, shelf_here(settings))
    assert isinstance(found, Backup)
    (one,) = found.not_drilled
    assert one.what.startswith("series that have stopped") and "cannot be read" in one.how

    named = run_drill(
        "--backup", str(tmp_path / "shop.sql"), report_dir=report_dir, BACKUP_PATH=str(tmp_path),
        DRILL_METRICS_FILE=str(tmp_path / "x.prom"),
    )  # fmt: skip
    assert named.code == 0, named.output
    assert named.result["backup"]["picked"]["how"] == "--backup"
    assert "Warning: nothing is known of the drills before: the history" in named.output
    assert not (tmp_path / "x.prom").exists()


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
    line = "weekly/shop-202601.sql is daily/shop-20260102.sql under another name, counted once"
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


def test_a_series_that_is_asked_for_is_red_when_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One drill of it is enough, and it is not left out among others that are asked for."""
    (tmp_path / "shop.sql").write_bytes(DUMP)
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path))
    shop, crm = (f"{tmp_path.name}/{name}" for name in ("shop", "crm"))

    def chosen(series: str) -> list[str]:
        settings = settings_from({"series": series}, here=tmp_path, root=ROOT)
        return to_drill(shelf_here(settings), settings)

    with pytest.raises(UsageError, match="there is no such series"):
        chosen("shop,crm")
    path = write(tmp_path, replace(PASSED, series=crm, sha256="a" * 64))
    assert (chosen("shop,crm"), chosen("crm"), chosen("shop")) == ([shop, crm], [crm], [shop])
    with pytest.raises(UsageError, match="there is no such series"):
        chosen("cmr")
    append(path, Skip(NOW, "gone", "ann", "bob", None, crm).as_json())
    with pytest.raises(UsageError, match="there is no such series"):
        chosen("crm")


def test_the_name_of_what_is_gone_is_no_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--series` of it drills no other one, and the drill is recorded as its own."""
    (tmp_path / "c1").mkdir()
    (tmp_path / "c1" / "db.sql").write_bytes(DUMP)
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path))
    gone = "c[1]/db"
    settings = settings_from({"series": gone}, here=tmp_path, root=ROOT)
    assert to_drill(shelf_here(settings), settings) == ["c1/db"]
    write(tmp_path, replace(PASSED, series=gone, backup=f"{gone}.sql", sha256="a" * 64))
    shelf = shelf_here(settings)

    assert to_drill(shelf, settings) == [gone] == [one_lost(shelf, settings.choice)]
    assert isinstance(choose(settings, shelf), BackupFault)


@pytest.mark.parametrize(
    ("file", "series", "backup", "is_left"),
    [
        ("shop.sql", "elsewhere/shop", "shop.sql", True),  # the place was renamed
        ("shop.sql", "elsewhere/shop", "elsewhere/shop.sql", False),
        ("daily/shop.sql", "elsewhere/shop", "shop.sql", True),
        ("shop/db.sql", "auth/db", "auth/db.sql", False),
        ("shop/db.sql", "bk/db", "db.sql", False),
        ("shop/db.sql", "/db", "2026-11-28/db.sql", False),
        ("2026-11-28/db.sql", "auth/db", "auth/db.sql", False),
        ("2026-11-28/db.sql", "/db", "2026-11-27/db.sql", True),
        ("n/ba\udcffd.sql", r"n/ba\udcffd", r"n/ba\udcffd.sql", True),
    ],
)
def test_a_folder_in_the_place_tells_series_apart(
    file: str, series: str, backup: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    *, is_left: bool,
) -> None:  # fmt: skip
    """The folder of the place may be renamed; no other one stands for what lay in another."""
    path = tmp_path / "bk" / file
    path.parent.mkdir(parents=True)
    path.write_bytes(DUMP)
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path / "bk"))
    write(tmp_path / "bk", replace(PASSED, series=series, backup=backup, sha256="a" * 64))
    shelf = shelf_here(settings_from({}, here=tmp_path, root=ROOT))

    assert shelf.missing([series]) == ([] if is_left else [series])


def test_a_series_of_nothing_but_garbage_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name alone: among all of them it is passed over with a warning."""
    (tmp_path / "shop.sql").write_bytes(DUMP)
    (tmp_path / "crm.sql").write_bytes(b"<html></html>")
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path))
    shop, crm = (f"{tmp_path.name}/{name}" for name in ("shop", "crm"))
    for series, expected in (("crm", [crm]), (crm, [crm]), ("*", [shop]), (None, [shop])):
        settings = settings_from({"series": series}, here=tmp_path, root=ROOT)
        assert to_drill(shelf_here(settings), settings) == expected

"""Databases whose backups have vanished: a fleet is red until somebody says that they may."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.fleet.due import Answer, answer
from restore_drill.fleet.inventory import load_inventory
from restore_drill.fleet.known import known_of
from restore_drill.fleet.report.judged import all_judged
from restore_drill.watch.entry import note
from restore_drill.watch.history import load_history
from tests.helpers.fleet_runs import GREEN, fleet
from tests.helpers.histories import FAILED, PASSED
from tests.helpers.shop import USUAL, Shops

NOW = datetime.now(UTC)
SHOP = '[databases.shop]\nbackups = "bk"\nevery = "1d"\n'
Noted = Callable[[str, float, str], None]

INVENTORY = """
[defaults]
every = "1d"
[databases.auth]
backups = "named"
series = "auth"
[databases.hr]
backups = "named"
series = "hr"
[[discover]]
source = "found"
"""


def states(folder: Path, *options: str) -> tuple[int, dict[str, str], str]:
    """Exit code of a run in `folder`, what became of each database, and all that was said."""
    done = fleet(folder, "run", "--workers", "2", *options)
    plain = json.loads((folder / "drill-report" / "fleet.json").read_text())
    found = {each["name"]: each["state"] for each in plain["databases"]}
    return done.returncode, found, done.stdout + done.stderr


def test_what_has_vanished_fails(shops: Shops, tmp_path: Path) -> None:
    """Where drills have proved it once: found by discovery or named, until it is ignored.

    A name that no drill knows is a mistake in the inventory.
    """
    for name in ("found/shop/shop.sql", "found/crm/crm.sql", "named/auth.sql", "named/hr.sql"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / name)
    (tmp_path / "fleet.toml").write_text(INVENTORY)
    code, before, output = states(tmp_path)
    assert (code, set(before)) == (0, {"auth", "hr", "shop/shop", "crm/crm"}), output

    shutil.rmtree(tmp_path / "found" / "crm")
    (tmp_path / "named" / "hr.sql").unlink()
    code, after, output = states(tmp_path, "--due")
    assert (code, after["crm/crm"], after["hr"]) == (1, "failed", "failed"), output
    noted = load_history(tmp_path / "named" / ".drill" / "history.jsonl").drills[-1]
    assert (noted.series, noted.verdict) == ("named/hr", "failed"), noted
    assert output.count("is left in") >= 2 and after["shop/shop"] == "not-due", output

    text = INVENTORY.replace('series = "hr"', 'series = "hrr"') + 'ignore = ["crm"]\n'
    (tmp_path / "fleet.toml").write_text(text)
    code, last, output = states(tmp_path, "--only", "shop/shop", "hr")
    assert last["hr"] == "could-not-run" and "'hrr', and there is no such series" in output
    assert last["shop/shop"] in GREEN and "crm" not in fleet(tmp_path, "list").stdout


@pytest.fixture
def noted(tmp_path: Path) -> Noted:
    """Function that notes a drill, some hours ago, of the series `eu/shop` or `us/shop`.

    Both have passed three hours ago, and an inventory has `shop`.
    """
    (tmp_path / "bk" / ".drill").mkdir(parents=True)

    def add(series: str, hours: float, verdict: str) -> None:
        kind, backup = (PASSED, f"{series}.sql") if verdict == "passed" else (FAILED, None)
        drill = replace(
            kind, at=NOW - timedelta(hours=hours), series=series, backup=backup, size=None,
            place=None, sha256="5ea1" if backup else None,
        )  # fmt: skip
        note(tmp_path / "bk" / ".drill" / "history.jsonl", drill)

    for name, age in (("eu/shop", 4), ("us/shop", 5)):
        path = tmp_path / "bk" / f"{name}.sql"
        path.parent.mkdir()
        path.write_text("-- PostgreSQL database dump\n\n-- Dumped from database version 15.4\n")
        when = (NOW - timedelta(hours=age)).timestamp()
        os.utime(path, (when, when))
        add(name, 3, "passed")
    (tmp_path / "fleet.toml").write_text(f"{SHOP}series = 'shop'\n")
    return add


def asked(folder: Path, hours: float = 0) -> Answer:
    """Whether a drill of `shop` is due in so many `hours`."""
    databases = load_inventory(folder / "fleet.toml", {}).databases
    assert list(databases) == ["shop"]
    return answer(known_of(list(databases.values()))["shop"], NOW + timedelta(hours=hours))


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("series", ["", "series = 'shop'\n"])
def test_a_drill_that_does_not_begin_is_due(tmp_path: Path, series: str) -> None:
    """Though all its series have passed: the run says what to write, and a job of CI is red."""
    (tmp_path / "fleet.toml").write_text(SHOP + series)
    run, matrix = fleet(tmp_path, "run", "--due"), fleet(tmp_path, "matrix", "github", "--due")

    why = "its backups are of several series, and a drill is of one: eu/shop, us/shop"
    assert asked(tmp_path)[:2] == (True, why)
    assert run.returncode == 6 and f"NOT BEGUN      shop  {why}" in run.stdout, run.stdout
    assert [each["only"] for each in json.loads(matrix.stdout)["include"]] == ["shop"]


@pytest.mark.parametrize(
    "more",
    ["", "[[discover]]\nsource = 'bk'\n", "options = ['--pick=oldest']\n"],
    ids=["named", "discovered", "picked"],
)
def test_one_of_several_that_are_called_alike_has_vanished(
    noted: Noted, tmp_path: Path, more: str
) -> None:
    """It is due once, and no pass of another hides that it failed; then its time counts."""
    (tmp_path / "fleet.toml").write_text(f"{SHOP}series = 'shop'\n{more}")
    shutil.rmtree(tmp_path / "bk" / "us")
    assert asked(tmp_path)[:2] == (True, "nothing is left of us/shop")
    for verdict, series in (("failed", "us/shop"), ("passed", "eu/shop")):
        noted(series, 2, verdict)
        found = asked(tmp_path)
        assert (found.is_due, found.is_red) == (False, True), found
        why = "its last drill failed 2 h ago, and nothing is left of us/shop; due again after 1 d"
        assert found.why == why
    assert asked(tmp_path, hours=22).is_due

    run = fleet(tmp_path, "run", "--due")
    assert run.returncode == 1 and "STILL FAILED   shop" in run.stdout, run.stdout


def test_a_name_of_several_series_is_a_problem(noted: Noted, tmp_path: Path) -> None:
    """As far as drills know them: until one is named in full. What has failed is told first."""

    def state(series: str) -> tuple[str, str]:
        (tmp_path / "fleet.toml").write_text(f"{SHOP}series = '{series}'\n")
        databases = list(load_inventory(tmp_path / "fleet.toml", {}).databases.values())
        (one,) = all_judged(known_of(databases, has_backups=False), NOW)
        return one.state, one.series.what

    named, (first, why) = state("eu/shop"), state("shop")
    noted("us/shop", 2, "failed")

    assert named == ("passed", "") and first == "unknown"
    assert "several series called 'shop', and a drill is of one: eu/shop, us/shop" in why
    assert state("shop")[0] == "failed" and state("eu/shop")[0] == "passed"


def test_a_folder_of_backups_that_was_renamed_is_no_second_series(
    noted: Noted, tmp_path: Path
) -> None:
    """Its drills are of the backups in it, whatever it was called."""
    history = tmp_path / "bk" / ".drill" / "history.jsonl"
    history.unlink()
    for name in ("old/shop", "bk/shop"):
        drill = replace(PASSED, series=name, place=None, backup="shop.sql", sha256="5ea1")
        note(history, drill)
    databases = list(load_inventory(tmp_path / "fleet.toml", {}).databases.values())
    (one,) = all_judged(known_of(databases, has_backups=False), NOW)
    noted("us/shop", 2, "passed")
    (other,) = all_judged(known_of(databases, has_backups=False), NOW)

    assert one.state == "passed", one.series.what
    assert other.state == "unknown" and "of one: shop, us/shop" in other.series.what

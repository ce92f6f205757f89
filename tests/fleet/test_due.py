"""`--due`: what asks for a drill, and in which words."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.fleet.due import Answer, answer
from restore_drill.fleet.known import known_of
from restore_drill.fleet.model import Database
from restore_drill.watch.entry import note
from restore_drill.watch.history import Drill
from tests.helpers.histories import FAILED, PASSED

NOW = datetime.now(UTC)
DAY = 86400.0
DUMP = "-- PostgreSQL database dump\n\n-- Dumped from database version 15.4\n"
Ask = Callable[..., Answer]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Function that says whether a drill is due after some `drills` of backups.

    A drill is given as hours since then, its verdict and the name of its backup; `backups` by name,
    with their ages in hours.
    """

    def due(
        *drills: tuple[float, str, str], every: float | None = DAY, pick: str | None = None,
        age: str = "90d", **backups: float,
    ) -> Answer:  # fmt: skip
        for name, hours in backups.items():
            path = tmp_path / f"{name}.sql"
            path.write_text(DUMP)
            when = (NOW - timedelta(hours=hours)).timestamp()
            os.utime(path, (when, when))
        for hours, verdict, name in drills:
            kind = FAILED if verdict == "failed" else PASSED
            drill: Drill = replace(
                kind, at=NOW - timedelta(hours=hours), verdict=verdict, backup=f"{name}.sql",
                series=None, size=None, place=None, pick=pick,
            )  # fmt: skip
            (tmp_path / ".drill").mkdir(exist_ok=True)
            note(tmp_path / ".drill" / "history.jsonl", drill)
        options = (f"--pick={pick}",) if pick else ()
        database = Database(
            "shop", "fleet.toml", backups=str(tmp_path), every=every, options=options,
            budgets={"max_backup_age": age},
        )  # fmt: skip
        return answer(known_of([database])["shop"], NOW)

    return due


def test_a_database_that_was_never_drilled_is_due(ask: Ask) -> None:
    """Whatever its schedule."""
    assert ask(shop=1)[:2] == (True, "it has never been drilled")


def test_a_pass_that_is_too_old_is_due(ask: Ask) -> None:
    """By `every`; a job of each night may be some seconds early."""
    passed = [(25, "passed", "shop")]
    why = "passed 1 d 1 h ago; due again after 1 d"

    assert ask(*passed, shop=30)[:2] == (True, why)
    assert not ask(*passed, every=2 * DAY, shop=30).is_due
    assert ask(*passed, every=25 * 3600 + 60, shop=30).is_due


def test_without_a_schedule_it_is_due_each_week(ask: Ask) -> None:
    """With the limit that `status` has."""
    assert not ask((7 * 24, "passed", "shop"), every=None, shop=200).is_due
    assert ask((8 * 24, "passed", "shop"), every=None, shop=200).is_due


def test_a_backup_that_no_drill_has_proved_is_due(ask: Ask) -> None:
    """It was taken since the last drill."""
    found = ask((2, "passed", "shop"), shop=1)

    assert found[:2] == (True, "no drill has proved its newest backup: shop.sql")


def test_a_failure_is_due_with_a_newer_backup(ask: Ask) -> None:
    """Until then it waits for its schedule: else it would alert each hour."""
    failed = [(30, "passed", "shop"), (2, "failed", "shop")]

    old = ask(*failed, shop=40)
    new = ask(shop=1)
    assert not old.is_due and old.why.startswith("its last drill failed 2 h ago, and there is no")
    assert old.is_red and not new.is_red
    assert new[:2] == (True, "its last drill failed, and there is a newer backup: shop.sql")
    assert ask((1, "passed", "shop"), (25, "failed", "shop"), shop=30).is_due is True


def test_a_drill_that_could_not_run_is_due(ask: Ask) -> None:
    """Nothing is known of the backup."""
    found = ask((2, "could-not-run", "shop"), shop=3)

    assert found[:2] == (True, "its last drill could not run")


def test_backups_that_come_no_more_are_due(ask: Ask, tmp_path: Path) -> None:
    """Once: then the failure has its time. Neither an old pass nor a file of old days hides it."""
    passed = [(2, "passed", "shop")]
    assert not ask(*passed, shop=3, age="4h").is_due
    aged = ask(shop=3, age="150min")
    (tmp_path / "shop.sql").unlink()
    gone = ask()

    assert aged[:2] == (True, "its newest backup is older than 2 h 30 min: shop.sql")
    assert gone[:2] == (True, "there is no backup any more")
    assert not ask((1, "failed", "shop")).is_due


def test_a_series_that_has_vanished_is_due_once(ask: Ask, tmp_path: Path) -> None:
    """Other series are left in its place."""
    ask((1, "passed", "shop"), shop=1)
    crm = Database("crm", "fleet.toml", backups=str(tmp_path), series="crm", every=DAY)
    history, name = tmp_path / ".drill" / "history.jsonl", f"{tmp_path.name}/crm"
    seen = replace(
        PASSED, at=NOW - timedelta(hours=2), series=name, place=None, pick=None, sha256="5ea1"
    )
    note(history, seen)
    gone = answer(known_of([crm])["crm"], NOW)
    note(history, replace(seen, at=NOW, verdict="failed", backup=None))
    told = answer(known_of([crm])["crm"], NOW)

    assert gone[:2] == (True, f"nothing is left of {name}")
    assert (told.is_due, told.is_red) == (False, True), told


def test_a_file_that_was_written_since_its_pass_is_due(ask: Ask, tmp_path: Path) -> None:
    """Though its name has a time from before, and its size is the same; or it is no backup now."""
    name = f"shop_{NOW - timedelta(hours=3):%Y-%m-%dT%H%M}Z"
    assert not ask((2, "passed", name), **{name: 3}).is_due
    written = ask(**{name: 1})
    (tmp_path / f"{name}.sql").write_bytes(b"\x8f\x01" * 40)

    assert written[:2] == (True, f"no drill has proved its newest backup: {name}.sql")
    assert ask()[:2] == (True, "there is no backup any more")


def test_what_cannot_be_read_is_due(ask: Ask, tmp_path: Path) -> None:
    """Its drill says why."""
    (tmp_path / ".drill").mkdir()
    (tmp_path / ".drill" / "history.jsonl").mkdir()
    gone = Database("gone", "fleet.toml", backups=str(tmp_path / "gone"))

    assert ask(shop=1).is_due
    assert "which does not exist" in answer(known_of([gone])["gone"]).why


def test_a_database_that_picks_older_backups_goes_by_its_schedule(ask: Ask) -> None:
    """The newest is never proved by it."""
    old, new = (f"shop_{NOW - timedelta(hours=age):%Y-%m-%dT%H%M}Z" for age in (50, 1))
    found = ask((2, "passed", old), pick="random", **{old: 50.0, new: 1.0})

    assert (found.is_due, found.why) == (False, "passed 2 h ago; due again after 1 d")

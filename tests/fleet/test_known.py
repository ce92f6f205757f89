"""What is known of many databases is asked once, whatever they share."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.backups import folders
from restore_drill.fleet import asked
from restore_drill.fleet.known import known_of
from restore_drill.fleet.model import Database
from restore_drill.fleet.noted import Noted
from restore_drill.fleet.report.judged import all_judged
from restore_drill.watch.entry import note
from restore_drill.watch.history import History
from tests.helpers.histories import FAILED, PASSED

DUMP = "-- PostgreSQL database dump\n\n-- Dumped from database version 15.4\n"
NAMES = [f"db{number}" for number in range(40)]
NOW = datetime.now(UTC)


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> Counter[object]:
    """How often a function of `module` is called, by its first argument."""
    calls, real = Counter[object](), getattr(module, name)

    def call(first: object, *more: object) -> object:
        calls[getattr(first, "backup_path", first)] += 1
        return real(first, *more)

    monkeypatch.setattr(module, name, call)
    return calls


def test_a_folder_of_many_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is a repository, of which each folder in it would be a part."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "shop.sql").write_text(DUMP)
    calls = counted(monkeypatch, folders, "repository_of")
    known = known_of([Database(name, "f", backups=str(tmp_path / name)) for name in NAMES])

    assert {len(each.newest) for each in known.values()} == {1}
    # All that begin at the same moment may ask beside each other.
    assert calls[tmp_path] <= 16 and calls[tmp_path.parent] <= 16


def test_a_folder_is_asked_again_in_another_run(tmp_path: Path) -> None:
    """It may have become a repository meanwhile."""
    (tmp_path / "archive" / "main").mkdir(parents=True)
    with folders.each_folder_once():
        assert folders.part_of_what(tmp_path / "archive") is None
        (tmp_path / "archive" / "main" / "archive.info").touch()
        assert folders.part_of_what(tmp_path / "archive") is None
    assert folders.part_of_what(tmp_path / "archive") is not None


def test_a_place_of_many_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its history is read once; each database has its own drills of it."""
    (tmp_path / ".drill").mkdir()
    for number, name in enumerate(NAMES):
        (tmp_path / f"{name}_20261128.sql").write_text(DUMP)
        for verdict in ("failed", "passed"):
            drill = replace(
                FAILED if verdict == "failed" else PASSED, series=f"{tmp_path.name}/{name}",
                place=None, at=NOW - timedelta(hours=number),
            )  # fmt: skip
            note(tmp_path / ".drill" / "history.jsonl", drill)
    lists = counted(monkeypatch, asked, "shelf_here")
    reads = counted(monkeypatch, asked, "load_history")
    many = [Database(name, "f", backups=str(tmp_path), series=name) for name in NAMES]
    known = known_of(many)

    assert lists == {tmp_path: 1} and sum(reads.values()) == 1
    for number, name in enumerate(NAMES):
        assert [each.label for each in known[name].newest] == [f"{name}_20261128.sql"]
        assert [each.verdict for each in known[name].drills] == ["failed", "passed"]
        assert known[name].drills[0].at == NOW - timedelta(hours=number)


def test_drills_are_told_apart_by_place_name_and_file() -> None:
    """Those without a place lie beside the backups; picked ones stay picked."""
    drills = [
        replace(PASSED, series="a/shop", place=None, line=1),
        replace(PASSED, series="b/shop", place="h:/b", line=2),
        replace(PASSED, series="a/crm", place="h:/a", line=3),
        replace(PASSED, series=None, place="h:/a", backup="one.dump", line=4),
    ]
    noted = Noted(History(Path(), drills, picks=[replace(PASSED, series="a/shop", line=5)]))

    def lines(database: Database, place: str, *series: str, file: str | None = None) -> list[int]:
        found = noted.of(database, place, series, file)
        return [each.line for each in (*found.drills, *found.picks)]

    assert lines(Database("x", "f", series="shop"), "h:/a") == [1, 5]
    assert lines(Database("x", "f", series="a/shop"), "h:/b") == [1, 5]
    assert lines(Database("x", "f", series="other"), "h:/a", "a/crm") == [3]
    assert lines(Database("x", "f", backups="/a"), "h:/a") == [1, 3, 4, 5]
    assert lines(Database("x", "f", backup="/a/one.dump"), "h:/a", file="one.dump") == [4]
    assert lines(Database("x", "f", series="shop"), "h:/c") == [1, 5]


@pytest.mark.parametrize(
    ("series", "known", "expected"),
    [
        ("/db", (), [1]),
        ("/db", ("/db",), [1]),
        ("shop/db", (), [2]),
        ("db", (), [1, 2, 5]),  # both are called so
        ("db", ("shop/db",), [1, 2, 5]),
        ("/", (), [3]),
        ("b/", (), [4]),
        ("auth/db", (), []),
        ("n/ba\udcffd", (), [6]),
    ],
)
def test_drills_are_of_the_series_of_that_name(
    series: str, known: tuple[str, ...], expected: list[int]
) -> None:
    """Where a name is in full: the last part of another one's is no name of it."""
    names = ("/db", "shop/db", "/", "b/", "db", r"n/ba\udcffd")
    drills = [replace(PASSED, series=name, line=at) for at, name in enumerate(names, 1)]
    noted = Noted(History(Path(), drills))

    found = noted.of(Database("x", "f", backups="/b", series=series), None, known, None)

    assert [each.line for each in found.drills] == expected


def test_what_found_no_backup_is_made_up_for(tmp_path: Path) -> None:
    """By the next pass of what is called so: a drill that found none has a name as it was asked."""
    (tmp_path / ".drill").mkdir()
    none = replace(FAILED, series="hr", backup=None)
    states = []
    for drill in (none, replace(PASSED, series="named/hr")):
        note(tmp_path / ".drill" / "history.jsonl", replace(drill, place=None))
        known = known_of([Database("hr", "f", backups=str(tmp_path), series="hr")])
        states.append(all_judged(known, NOW)[0].state)

    assert states == ["failed", "passed"]


def test_a_series_is_judged_by_its_own_drills(tmp_path: Path) -> None:
    """A pass of `shop/db` is none of `/db`, be that red or never drilled."""
    (tmp_path / ".drill").mkdir()
    for drill, series in ((FAILED, "/db"), (PASSED, "shop/db"), (PASSED, "shop/hr")):
        note(tmp_path / ".drill" / "history.jsonl", replace(drill, series=series, place=None))
    names = ("/db", "shop/db", "/hr", "shop/hr")
    databases = [Database(name, "f", backups=str(tmp_path), series=name) for name in names]
    found = all_judged(known_of(databases, has_backups=False), NOW)

    assert {each.database.name: each.state for each in found} == {
        "/db": "failed", "shop/db": "passed", "/hr": "never-drilled", "shop/hr": "passed",
    }  # fmt: skip

"""Which drills belong together: no pass of another database hides a red drill, nor a miss."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from restore_drill.config.settings import Settings, settings_from
from restore_drill.watch.entry import drill_to_come, note, place_of
from restore_drill.watch.groups import by_series, group_of, newer_than
from restore_drill.watch.history import Drill, load_history
from restore_drill.watch.judgement import Rules, judge
from restore_drill.watch.look import look_at_all, rules_of
from tests.helpers.drills import ROOT
from tests.helpers.histories import FAILED, NOW, PASSED

DAY = timedelta(days=1)
CRM, SHOP = "db1:/srv/crm/bk", "db1:/srv/shop/bk"


def drill(days: float, series: str | None, place: str | None, *, good: bool = True) -> Drill:
    """A drill of so many days ago; without a series it has found no backup."""
    like = PASSED if good else FAILED
    backup = "shop.dump" if series else None
    return replace(like, at=NOW - days * DAY, series=series, place=place, backup=backup)


def problems(tmp_path: Path, *drills: Drill) -> dict[str, str]:
    """What is wrong with each series, by its name."""
    path = tmp_path / "history.jsonl"
    for each in drills:
        note(path, each)
    judged = judge(load_history(path), Rules(), NOW)
    return {each.name: each.problem.cause if each.problem else "" for each in judged}


def test_no_backup_stays_red_until_its_own_place_has_one(tmp_path: Path) -> None:
    """The pass of another folder in the same history is none of its own."""
    before = [drill(4, "bk/crm", CRM), drill(4, "bk/shop", SHOP)]
    gone = drill(3, None, CRM, good=False)

    assert problems(tmp_path, *before, gone, drill(2, "bk/shop", SHOP)) == {
        "bk/crm": "failed", "bk/shop": "",
    }  # fmt: skip
    assert problems(tmp_path, drill(1, "bk/crm", CRM)) == {"bk/crm": "", "bk/shop": ""}


def test_a_place_that_never_had_a_backup_is_red_by_itself(tmp_path: Path) -> None:
    """Until a drill there finds one, of whatever series."""
    none = drill(3, None, CRM, good=False)

    assert problems(tmp_path, none, drill(2, "bk/shop", SHOP)) == {
        f"no backup in {CRM}": "failed", "bk/shop": "",
    }  # fmt: skip
    assert problems(tmp_path, drill(1, "bk/crm", CRM)) == {"bk/crm": "", "bk/shop": ""}


def test_two_machines_with_folders_of_one_name_are_two(tmp_path: Path) -> None:
    """A pass on one does not make the other green, and is no recovery."""
    bad = drill(2, "db/shop", "one:/backups", good=False)
    good = drill(1, "db/shop", "two:/backups")

    assert problems(tmp_path, bad, good) == {
        "db/shop (one:/backups)": "failed", "db/shop (two:/backups)": "",
    }  # fmt: skip
    assert group_of([bad], good)[1] == []
    assert group_of([bad, good], replace(bad))[1] == [bad]


def test_lines_of_before_there_were_places_are_continued() -> None:
    """They belong to the place where their series was drilled next."""
    old = [drill(5, "db/shop", None), drill(4, None, None, good=False)]
    new = [drill(3, "db/shop", SHOP), drill(2, "db/crm", CRM)]

    assert by_series([*old, *new]) == {"db/crm": [new[1]], "db/shop": [*old, new[0]]}


@pytest.mark.parametrize("name", ["crm", "customer1", "shop-3f9ac21", "tenant_1"])
def test_a_single_pass_gets_too_old(name: str, tmp_path: Path) -> None:
    """Whatever else is drilled in its place: another name may be another database."""
    like = name.replace("1", "2")
    found = problems(tmp_path, drill(300, f"a/{name}", CRM), drill(1, f"a/{like}-x", CRM))

    assert found == {f"a/{name}": "not_run", f"a/{like}-x": ""}


def test_numbered_backups_are_one_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the criteria file says so: its own, old entries too, and those of no other place."""
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path / "b"))
    (tmp_path / "b").mkdir()
    path, criteria = tmp_path / "history.jsonl", tmp_path / "criteria.toml"
    criteria.write_text("[backup]\nnumbered = true\n")
    given = settings(tmp_path, history=str(path), machine="db1", criteria=str(criteria))
    here = f"db1:{tmp_path / 'b'}"
    for each in (
        drill(9, "a/shop_1842", here, good=False), drill(8, "a/shop_3f9ac21", here),
        drill(7, "a/shop", here), drill(6, "a/crm_1", CRM, good=False), drill(5, "a/crm_2", CRM),
    ):  # fmt: skip
        note(path, each)
    parsed = argparse.Namespace(histories=[], max_age="90d")

    (ours,) = look_at_all(parsed, given, rules_of(parsed, given), NOW)
    parsed.histories = [str(path)]
    (named,) = look_at_all(parsed, given, rules_of(parsed, given), NOW)

    assert {each.name: each.what[:21] for each in ours.series} == {
        "a/crm_1": "the last drill failed", "a/crm_2": "", "a/shop": "",
    }  # fmt: skip
    assert len(ours.series[2].drills) == 3
    assert [each.name for each in named.series if each.problem] == ["a/crm_1", "a/shop_1842"]


def test_lines_of_before_numbers_made_series_are_continued() -> None:
    """They belong to the series of their backup's name, where that is drilled now."""
    old = replace(drill(5, "a/tenant", CRM), backup="tenant_1.dump")
    shop = replace(drill(5, "a/shop", CRM), backup="shop_2.dump")
    new = [replace(drill(3 - n, f"a/tenant_{n}", CRM), backup=f"tenant_{n}.dump") for n in (1, 2)]

    assert by_series([old, shop, *new]) == {
        "a/shop": [shop], "a/tenant_1": [old, new[0]],
        "a/tenant_2": [new[1]],
    }  # fmt: skip


def test_an_older_backup_is_known_as_one() -> None:
    """By the times at which both were taken, whenever they were drilled."""
    failed = replace(FAILED, at=NOW - DAY, age=3600.0, backup="new.dump")
    older = replace(PASSED, at=NOW, age=3 * 86400.0, backup="old.dump")

    assert newer_than(older, [failed]) is failed
    assert newer_than(replace(older, age=60.0), [failed]) is None
    assert newer_than(replace(older, backup="new.dump"), [failed]) is None
    assert newer_than(replace(older, age=None), [failed]) is None


@pytest.mark.parametrize("days", [2000, -2, -0.9])
def test_a_wrong_clock_hides_no_failure(days: float, tmp_path: Path) -> None:
    """The last entry is the last drill, whatever the clock of its machine said."""
    passed, failed = drill(1, "db/shop", None), drill(days, "db/shop", None, good=False)

    assert problems(tmp_path, passed, failed) == {"db/shop": "failed"}


def test_a_pass_of_the_future_is_none(tmp_path: Path) -> None:
    """It would be the youngest for too long; the failure before it stands."""
    failed, passed = drill(0.1, "db/shop", None, good=False), drill(-0.9, "db/shop", None)

    assert problems(tmp_path, failed, passed) == {"db/shop": "failed"}


def settings(tmp_path: Path, **given: str) -> Settings:
    """Settings of a drill that runs in `tmp_path`."""
    return settings_from(given, here=tmp_path, root=ROOT)


def test_the_place_is_that_of_the_backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None beside them; the machine's name unless it lives for one job alone."""
    backup, history = tmp_path / "shop.dump", str(tmp_path / "drills.jsonl")
    monkeypatch.setenv("BACKUP_PATH", str(tmp_path))

    assert place_of(settings(tmp_path), str(backup)) is None
    named = settings(tmp_path, history=history, machine="db1")
    assert (
        place_of(named, str(backup))
        == f"db1:{tmp_path}"
        == drill_to_come(named, backup, "shop").place
    )
    monkeypatch.setenv("CI", "true")
    assert place_of(settings(tmp_path, history=history), None) == str(tmp_path)

"""Whose issue it is: the pass of the same backups closes it, and that of no others does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from restore_drill.alerts.announce import Ending, announce
from restore_drill.alerts.subject import Origin, mark_of
from restore_drill.config.alerts import alerts_of
from restore_drill.config.criteria.notify import Notify
from restore_drill.config.settings import settings_from
from restore_drill.core.calling import SUITE
from restore_drill.watch.origin import origin_of
from restore_drill.watch.skips import Skip
from tests.alerts.test_issues import environment
from tests.helpers.alerting import EMPTY, result_of
from tests.helpers.histories import FAILED, NOW, PASSED, Call, caller, write
from tests.helpers.inboxes import Forge, Inbox

LONG_AGO = timedelta(days=30)
OLD = replace(PASSED, at=NOW - LONG_AGO)
Drilled = Callable[..., str]
Given = Callable[[str, str], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Sets a variable of the environment."""
    return monkeypatch.setenv


@pytest.fixture(autouse=True)
def status(
    forge: Forge, tmp_path: Path, given: Given, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:  # fmt: skip
    """`restore-drill` on the machine m1, whose BACKUP_PATH is `backups`; its state is its own."""
    (tmp_path / "backups").mkdir()
    for name, value in environment(forge, "github").items():
        given(name, value)
    given("DRILL_MACHINE", "m1")
    given("XDG_STATE_HOME", str(tmp_path / "state"))
    return caller(tmp_path / "backups", monkeypatch, capsys)


@pytest.fixture
def drilled(forge: Forge) -> Drilled:
    """What became of the issue when a drill with the environment of this test has ended."""

    def end(verdict: str = "passed", series: str = "db/shop", name: str = "", **more: Any) -> str:
        settings = settings_from({}, here=Path.cwd(), root=SUITE)
        backup = f"{settings.backup_path}/{series}.dump"
        result = result_of(verdict, EMPTY, path=backup if series else None, **more)
        if series:
            result["backup"]["series"] = series
        alerts = alerts_of(environment(forge, "github"), Notify(name=name))
        origin = origin_of(settings, backup if series else None, Path.cwd())
        return announce(alerts, Ending(result, 0, origin=origin))[0].done

    return end


def test_pass_of_one_of_several_closes_what_found_no_backup(drilled: Drilled) -> None:
    """Also where they have a name; and the issue of one series is not that of the other."""
    run = {"run_of": ["db/auth", "db/shop"]}
    assert drilled("could-not-run", "", "the shop") == "opened issue #1"
    assert drilled("failed", "db/auth", "the shop", **run) == "opened issue #2"
    assert drilled("passed", "db/shop", "the shop", **run) == "closed issue #1"
    assert drilled("passed", "db/shop", "the shop") == "no open issue"
    assert drilled("passed", "db/auth", "the shop") == "closed issue #2"


def test_a_series_without_a_name_is_not_every_series(drilled: Drilled) -> None:
    """Of `daily/20261128.sql` it is `/`: a pass of another one says nothing about it."""
    assert drilled("failed", "/") == "opened issue #1"
    assert drilled("passed", "hr/db") == "no open issue"
    assert drilled("passed", "/") == "closed issue #1"


@pytest.mark.parametrize("name", ["", "the shop"])
def test_pass_closes_what_was_missed(
    status: Call, given: Given, drilled: Drilled, forge: Forge, tmp_path: Path, name: str
) -> None:
    """By the history beside the backups, of one series and of several; a name changes nothing."""
    if name:
        (tmp_path / "criteria.toml").write_text(f'[notify]\nname = "{name}"\n', encoding="utf-8")
        given("DRILL_CRITERIA", str(tmp_path / "criteria.toml"))
    write(tmp_path / "backups", OLD, replace(OLD, series="db/auth"))
    code, told = status("status", "--notify")

    assert code == 1 and told.count("alerted: issue: opened issue") == 2
    titles = [
        f"Restore drill MISSED: {name and f'{name}: '}{each}" for each in ("db/auth", "db/shop")
    ]
    assert [each["title"] for each in forge.open] == titles
    assert drilled(series="db/shop", name=name) == "closed issue #2"
    assert drilled(series="db/auth", name=name) == "closed issue #1"


def test_pass_closes_a_folder_where_none_was_ever_drilled(
    status: Call, drilled: Drilled, forge: Forge
) -> None:
    """Neither a drill nor a series is known."""
    status("status", "--notify")

    assert forge.open[0]["title"] == "Restore drill MISSED: backups/*"
    assert drilled() == "closed issue #1"


def test_places_of_one_history_are_told_apart(
    status: Call, given: Given, drilled: Drilled, forge: Forge, tmp_path: Path
) -> None:
    """Two machines, one path, one series; a third place without any backup."""
    given("DRILL_HISTORY", str(tmp_path / "history.jsonl"))
    here = f"m1:{tmp_path / 'backups'}"
    places = (here, f"m2:{tmp_path / 'backups'}")
    drills = [replace(OLD, place=place) for place in places]
    nothing = replace(FAILED, at=OLD.at, series=None, backup=None, place="m3:/srv/b")
    path = write(tmp_path, *drills, nothing)
    path.rename(tmp_path / "history.jsonl")
    status("status", "--notify")

    assert len(forge.open) == 3
    assert drilled() == "closed issue #1" and len(forge.open) == 2
    given("DRILL_MACHINE", "m3")
    assert drilled() == "no open issue"
    given("DRILL_MACHINE", "m2")
    assert drilled() == "closed issue #2"
    assert "no backup in m3:/srv/b" in forge.open[0]["title"]


def test_histories_of_several_folders_are_told_apart(
    status: Call, given: Given, drilled: Drilled, forge: Forge, tmp_path: Path
) -> None:
    """Series of one name: asked for from elsewhere, closed by the drill of that folder alone."""
    folders = [tmp_path / name for name in ("backups", "other")]
    for days, folder in enumerate(folders):
        folder.mkdir(exist_ok=True)
        write(folder, replace(OLD, at=OLD.at - timedelta(days=days)))
    status("status", "--notify", *map(str, folders))

    assert {each["title"] for each in forge.open} == {
        f"Restore drill MISSED: {folder}: db/shop" for folder in folders
    }
    given("BACKUP_PATH", str(folders[1]))
    assert drilled() == "closed issue #2"
    assert [each["number"] for each in forge.open] == [1]


def test_a_bucket_is_one_place_for_all(
    status: Call, given: Given, drilled: Drilled, forge: Forge
) -> None:
    """A miss that one machine has noticed is closed by the drill of another, and its red drill."""
    given("BACKUP_PATH", "s3://backups/shop")
    settings = settings_from({}, here=Path.cwd(), root=SUITE)
    assert settings.notes_folder is not None
    write_at = settings.notes_folder.parent / "there"
    write(write_at, OLD)
    settings.notes_folder.mkdir(parents=True)
    (write_at / ".drill" / "history.jsonl").rename(settings.notes_folder / "history.jsonl")
    status("status", "--notify")

    assert forge.open[0]["title"] == "Restore drill MISSED: db/shop"
    given("DRILL_MACHINE", "m2")
    given("XDG_STATE_HOME", str(Path.cwd() / "else"))
    assert drilled("failed") == "commented on issue #1"
    given("BACKUP_PATH", "s3://backups/other")
    assert drilled() == "no open issue"
    given("BACKUP_PATH", "s3://backups/shop/")
    assert drilled() == "closed issue #1"


def test_machines_with_one_path_are_told_apart(
    given: Given, drilled: Drilled, tmp_path: Path
) -> None:
    """Unless the history beside the backups is the same: then both have that folder mounted."""
    assert drilled("failed") == "opened issue #1"
    given("DRILL_MACHINE", "m2")
    assert drilled() == "no open issue"
    given("DRILL_MACHINE", "m1")
    assert drilled() == "closed issue #1"

    write(tmp_path / "backups", FAILED)
    assert drilled("failed") == "opened issue #2"
    given("DRILL_MACHINE", "m2")
    assert drilled() == "closed issue #2"


def test_what_is_retired_has_no_open_issue(status: Call, forge: Forge, tmp_path: Path) -> None:
    """No pass will come; `status --notify` closes it, and asks the tracker for nothing more."""
    write(tmp_path / "backups", OLD)
    status("status", "--notify")
    assert len(forge.open) == 1
    write(tmp_path / "backups", Skip(NOW, "gone", "me", "me", None, "db/shop"))
    code, told = status("status", "--notify")

    assert (code, forge.open) == (0, []) and "alerted: issue: closed issue #1" in told
    asked = len(forge.asked)
    status("status", "--notify")
    assert len(forge.asked) == asked


def test_what_was_red_and_is_retired_has_no_open_issue(
    status: Call, drilled: Drilled, forge: Forge, tmp_path: Path
) -> None:
    """Nobody has missed it. Nothing says that it has passed; drilled again it has a new issue."""
    folder = tmp_path / "backups"
    gone = Skip(NOW, "gone", "me", "me", None, "db/shop")
    for number in (1, 2):
        write(folder, FAILED)
        assert drilled("failed") == f"opened issue #{number}"
        assert status("status", "--notify")[0] == 1
        write(folder, gone)
        assert "closed issue" in status("status", "--notify")[1] and not forge.open
        asked = len(forge.asked)
        status("status", "--notify")
        assert len(forge.asked) == asked
        write(folder, PASSED)
        status("status", "--notify")
    assert "passed again" not in forge.issues[0]["comments"][0]


def test_an_empty_history_elsewhere_has_one_issue(
    status: Call, given: Given, forge: Forge, tmp_path: Path
) -> None:
    """Not one a day; as soon as there is a drill it is closed."""
    path = tmp_path / "drills.jsonl"
    path.touch()
    for day in ("a", "b"):
        given("XDG_STATE_HOME", str(tmp_path / day))
        status("status", "--notify", str(path))
    (issue,) = forge.open
    assert issue["title"] == f"Restore drill MISSED: {path}" and len(issue["comments"]) == 1

    write(tmp_path, replace(PASSED, place="m1:/srv")).rename(path)
    assert status("status", "--notify", str(path))[0] == 0
    assert forge.open == []


def test_what_has_moved_and_is_retired_has_no_open_issue(
    status: Call, given: Given, forge: Forge, tmp_path: Path
) -> None:
    """Since it has moved, its former place stands behind its name."""
    given("DRILL_HISTORY", str(tmp_path / "backups" / ".drill" / "history.jsonl"))
    write(tmp_path / "backups", replace(OLD, place="m1:/srv/a"))
    status("status", "--notify")
    assert [each["title"] for each in forge.open] == ["Restore drill MISSED: db/shop"]
    moved, gone = replace(PASSED, place="m1:/srv/b"), "db/shop (m1:/srv/a)"
    write(tmp_path / "backups", moved, Skip(NOW, "moved", "me", "me", None, gone))

    assert status("status", "--notify")[0] == 0
    assert forge.open == []


def test_a_status_that_is_not_known_is_announced_once(
    status: Call, given: Given, forge: Forge, box: Inbox, tmp_path: Path
) -> None:
    """Its issue is closed as soon as it is known; another call remembers its own."""
    given("DRILL_NOTIFY", box.hook)
    gone, there = str(tmp_path / "gone"), tmp_path / "there"
    write(there, OLD)
    assert [status("status", gone, "--notify")[0] for _ in range(3)] == [4, 4, 4]
    for _ in range(2):
        status("status", str(there), "--notify")
    status("status", gone, "--notify")

    assert [each["title"] for each in box.messages] == [
        f"Restore drill status UNKNOWN: status of {gone}", "Restore drill MISSED: db/shop",
    ]  # fmt: skip
    write(Path(gone), PASSED)
    assert status("status", gone, "--notify")[0] == 0
    assert [each["number"] for each in forge.open] == [2]


def test_issues_of_older_versions_are_closed(
    drilled: Drilled, forge: Forge, tmp_path: Path
) -> None:
    """Those by series and folder, by a folder without a backup, and by the name alone."""
    forge.labels.add("restore-drill")
    folder = str(tmp_path / "backups")
    known = [mark_of("db/shop", folder), mark_of("backups/*", folder), mark_of("the shop", "")]
    for mark in [*known, "<!-- restore-drill d608fff05795202d -->", mark_of("db/auth", folder)]:
        forge.add("old", f"text\n{mark}\n", ["restore-drill"])

    assert drilled() == "closed issue #1, #2, #4"
    assert drilled(name="the shop") == "closed issue #3"
    assert len(forge.open) == 1


def test_handed_over_without_a_result_is_closed_by_the_next(forge: Forge) -> None:
    """A job that died knows neither series nor folder."""
    alerts = alerts_of(environment(forge, "github"), Notify())
    died = result_of("could-not-run", path=None)
    assert announce(alerts, Ending(died, 1))[0].done == "opened issue #1"
    assert announce(alerts, Ending(result_of("passed"), 0))[0].done == "closed issue #1"


def test_a_drill_that_could_not_begin_is_of_where_it_was_called(
    given: Given, drilled: Drilled, forge: Forge
) -> None:
    """Its BACKUP_PATH is wrong: the pass of the right one closes it, from no other machine."""
    alerts = alerts_of(environment(forge, "github"), Notify())
    wrong = Origin(Path("/srv/shpo"), (), f"m1:{Path.cwd()}")
    result = result_of("could-not-run", path=None, reasons=["BACKUP_PATH names /srv/shpo"])
    (done,) = announce(alerts, Ending(result, 4, origin=wrong, has_begun=False))

    assert done.done == "opened issue #1" and forge.open[0]["title"].endswith("RUN: shpo/*")
    given("DRILL_MACHINE", "m2")
    assert drilled() == "no open issue"
    given("DRILL_MACHINE", "m1")
    assert drilled("failed") == "opened issue #2"
    assert drilled() == "closed issue #1, #2"

"""What drills say of their options, by the keys of the inventory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.core.errors import UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.fleet.keys import UNNOTED, in_keys
from restore_drill.fleet.known import known_of
from restore_drill.fleet.model import Database, Done
from restore_drill.fleet.report.judged import all_judged
from restore_drill.fleet.report.outcome import not_begun, outcome_of
from restore_drill.fleet.report.status import steps, words
from restore_drill.fleet.settings import settings_of
from restore_drill.selection.select import check_paths
from tests.helpers.histories import NOW

SHOP = "-- PostgreSQL database dump\n\n-- Dumped from database version 15.4\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (remedy_for("select", "required")[0], "set backups to the folder that holds the backups"),
        (remedy_for("test_restore_time_is_within_budget", "over")[0], "max_restore_time under bud"),
        (remedy_for("drill", "too_long")[1], "or give the drill more time: timeout"),
        ("or restore into a container: --target container", 'a container: target = "container"'),
        ("name it with --backup, or copy it to BACKUP_PATH", 'with backup = "…", or copy it to ba'),
        ("drill it: restore-drill --backup /b", "drill it: restore-drill --backup /b"),
        ("no backup (--require-backup), --redis-backup", "no backup (--require-backup), --redis-b"),
        ("names it --max-backup-ages or MY_BACKUP_PATH", "names it --max-backup-ages or MY_BACKUP"),
    ],
)
def test_options_are_called_by_their_keys(said: str, told: str) -> None:
    """But for commands, which are typed as they are, and for what has no key."""
    assert told in in_keys(said)


@pytest.mark.parametrize(
    "said",
    [
        "/srv/BACKUP_PATH/shop.sql ends early",
        "/data/x BACKUP_PATH=5.sql ends early",
        "$BACKUP_PATH and ${BACKUP_PATH} are not set",
        "value '--target container' is not expected",
        'see `--series`, {--timeout} and "--backup"',
        "/srv/--series/--timeout/db.sql is empty",
        "drill it: BACKUP_PATH='/srv/a b' restore-drill --backup /b",
    ],
)
def test_what_is_no_word_of_a_drill_is_left(said: str) -> None:
    """A part of a path, a value in quotes, a variable of a shell, a command."""
    assert in_keys(said) == said


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("unset BACKUP_PATH or REDIS_URL", "leave backups out, or unset REDIS_URL"),
        ("unset BACKUP_PATH, or name another", "leave backups out, or name another"),
        ("name a folder below it: BACKUP_PATH=/a/b", 'name a folder below it: backups = "/a/b"'),
    ],
)
def test_what_is_to_be_done_is_told_in_words(said: str, told: str) -> None:
    """Of what no key sets the variable is named."""
    assert in_keys(said) == told


@pytest.mark.parametrize("name", ["$BACKUP_PATH", "a --series b", "DRILL_BACKUP x", "BACKUP_PATH"])
def test_a_place_is_told_as_it_is_written(tmp_path: Path, name: str) -> None:
    """Whatever words of a drill its path holds: people look for it."""
    gone = tmp_path / name / "shop"
    for place in (Database("a", "f", backups=f"{gone}/"), Database("a", "f", backup=str(gone))):
        with pytest.raises(UsageError) as found:
            settings_of(place)
        key = "backups" if place.backups else "backup"
        assert not_begun(place, str(found.value)).why.startswith(f"{key} names {gone}, which does ")


def said_of(place: Database) -> str:
    """What is wrong with it, in the words of a drill."""
    try:
        check_paths(settings_of(place))
    except UsageError as error:
        return str(error)
    return known_of([place])["a"].why


def test_what_is_wrong_with_a_place_is_told_by_its_key(tmp_path: Path) -> None:
    """As a drill finds it, and as `fleet status` does."""
    (tmp_path / "hr").mkdir()
    (tmp_path / "hr" / "hr.sql").write_text(SHOP)
    gone, file = tmp_path / "gone", tmp_path / "hr" / "hr.sql"
    for place, told in (
        (Database("a", "f", backups=str(gone)), f"backups names {gone}, which does not exist; "),
        (Database("a", "f", backups=str(file)), 'name a file with backup = "…"'),
        (
            Database("a", "f", backup=str(file.parent)),
            f'of backups write backups = "{file.parent}"',
        ),
        (Database("a", "f", backups=str(file.parent), series="nope"), "series names 'nope', and "),
    ):
        why = said_of(place)
        for each in (not_begun(place, why), outcome_of(place, Done("a", 4, "", 1.0, why=why), 1)):
            assert told in each.why
            assert "BACKUP_PATH" not in each.why and "--" not in each.why


def test_where_drills_may_be_noted(tmp_path: Path) -> None:
    """Of a single backup nobody knows a place: another drill is for nothing, and not proposed."""
    other = Database("b", "f")
    (tmp_path / "hr.sql").write_text(SHOP)
    known = known_of([Database("a", "f", backup=str(tmp_path / "hr.sql"))])["a"]
    judged = all_judged({"a": known, "b": replace(known, database=other)}, NOW)
    assert steps(judged) == [] and all("write environment" in words(each, NOW) for each in judged)
    assert known.why_unnoted == UNNOTED and "environment = { DRILL_HISTORY" in UNNOTED

"""The remedy of a backup that fails names the older one to drill, with its path."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from restore_drill.core.calling import COMMAND, DRILL
from restore_drill.core.remedies import remedy_for, use_older
from restore_drill.selection.select import select_backup
from restore_drill.selection.series import series_of
from restore_drill.watch.older import older_than
from tests.helpers.drills import run_drill
from tests.helpers.folders import DUMP
from tests.helpers.histories import PASSED, write
from tests.selection.test_pick import settings_of

TODAY = datetime.now(UTC).replace(microsecond=0)
JUNK = b"pg_dump: error: connection to server failed\n"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """No other test of this process knows the backup."""
    yield
    use_older(None)


def backups_in(folder: Path, *contents: bytes, name: str = "shop") -> list[Path]:
    """Daily backups with these `contents`, the newest first."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for day, content in enumerate(contents):
        when = TODAY - timedelta(days=day, minutes=5)
        paths.append(folder / f"{name}_{when:%Y%m%d_%H%M%S}.sql")
        paths[-1].write_bytes(content)
    return paths


def steps_for(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: str) -> list[str]:
    """What the remedy of a damaged backup says, where `options` choose one in `folder`."""
    settings = settings_of(folder, monkeypatch, **options)
    if "backup" in options:
        monkeypatch.delenv("BACKUP_PATH")
        settings = replace(settings, backup_path=None)
    use_older(partial(older_than, select_backup(settings), settings))
    return [step for step in remedy_for("test_backup_is_complete", "damaged") if "drill" in step]


def test_the_last_that_passed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path stands in the command, quoted; what lies between is worth a search."""
    folder = tmp_path / "my backups"
    _, before, proved = backups_in(folder, JUNK, DUMP, DUMP)
    series = series_of(proved)
    passed = replace(PASSED, at=TODAY, series=series, size=len(DUMP))
    write(folder, replace(passed, backup=proved.name))
    drill, search = steps_for(folder, monkeypatch)
    path = shlex.quote(str(proved))
    assert drill == (
        f"drill the last backup that has passed, on {TODAY:%Y-%m-%d %H:%M:%S} UTC: "
        f"{DRILL} --backup {path}"
    )
    assert search == (
        f"find the newest backup that passes: "
        f"BACKUP_PATH={shlex.quote(str(folder))} {COMMAND} bisect"
    )
    write(folder, replace(passed, backup=before.name))
    (drill,) = steps_for(folder, monkeypatch)
    assert drill.endswith(f"{DRILL} --backup {shlex.quote(str(before))}")


def test_without_a_history_it_is_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older file that is no backup is passed over; a series among several is named."""
    _, _, older, _ = backups_in(tmp_path, JUNK, JUNK, DUMP, DUMP)
    backups_in(tmp_path, DUMP, name="crm")
    drill, search = steps_for(tmp_path, monkeypatch, series="shop")
    assert drill == f"drill the backup before this one: {DRILL} --backup {older}"
    assert search.endswith(f"{COMMAND} bisect --series {series_of(older)}")


def test_a_backup_that_is_named_has_others_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--backup without BACKUP_PATH: the folder of the file is looked at, and its history."""
    newest, older = backups_in(tmp_path, JUNK, DUMP)
    (drill,) = steps_for(tmp_path, monkeypatch, backup=str(newest))
    assert drill == f"drill the backup before this one: {DRILL} --backup {older}"


def test_nothing_is_said_of_an_older_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command is printed that has nothing to drill."""
    backups_in(tmp_path, DUMP)
    assert steps_for(tmp_path, monkeypatch) == []
    assert remedy_for("test_backup_is_complete", "foreign") == []


def test_a_red_drill_prints_the_command(tmp_path: Path) -> None:
    """A drill of a backup that holds messages names the one before, in its own words."""
    newest, older = backups_in(tmp_path, JUNK, DUMP)
    drill = run_drill(
        "--backup", str(newest), "-m", "select", report_dir=tmp_path / "reports"
    )  # fmt: skip
    (check,) = [each for each in drill.result["checks"] if each["outcome"] == "failed"]
    assert f"--backup {older}" in check["message"]
    skipped = [each for each in drill.result["not_checked"] if "earlier" in each["why"]]
    assert [each["why"] for each in skipped] == [
        "a backup named with --backup is not compared with earlier ones"
    ]

"""`--due`: what has changed since a drill asks for another, and no failure is hidden."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from restore_drill.backups.formats import Kind
from restore_drill.backups.mark import stamp_of
from restore_drill.backups.model import Backup
from restore_drill.backups.origins import Origin, origins
from restore_drill.config.criteria import load_criteria
from restore_drill.fleet.due import Answer, answer, is_unchanged
from restore_drill.fleet.inventory import load_inventory
from restore_drill.fleet.jobs import files_of
from restore_drill.fleet.known import known_of
from restore_drill.fleet.model import Database
from restore_drill.fleet.settings import settings_of
from restore_drill.selection.candidate import Candidate, look_at
from restore_drill.selection.chosen import backup_record, choose
from restore_drill.watch.entry import note
from restore_drill.watch.ledger import Ledger
from restore_drill.watch.terms import terms_of
from tests.helpers.fleet_runs import GREEN, fleet
from tests.helpers.histories import FAILED, PASSED
from tests.helpers.physical import source
from tests.helpers.shop import USUAL, Shops

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
DUMP = "-- PostgreSQL database dump\n\n-- Dumped from database version 15.4\n"
QUERY = "SELECT 1 WHERE false\n"
Noted = Callable[..., Path]


@pytest.fixture
def noted(tmp_path: Path) -> Noted:
    """Function that notes a drill, some hours ago, of the backup `shop.sql` of 11 hours ago."""
    path = tmp_path / "shop.sql"
    path.write_text(DUMP)
    written(path, 11)

    def add(hours: float, verdict: str, **values: Any) -> Path:
        drill = replace(
            FAILED if verdict == "failed" else PASSED, at=NOW - hours * HOUR, verdict=verdict,
            **({"backup": "shop.sql", "series": None, "size": None, "place": None} | values),
        )  # fmt: skip
        (tmp_path / ".drill").mkdir(exist_ok=True)
        note(tmp_path / ".drill" / "history.jsonl", drill)
        return path

    return add


def written(path: Path, hours: float) -> None:
    """Let the file at `path` have been written so many `hours` ago."""
    when = (NOW - hours * HOUR).timestamp()
    os.utime(path, (when, when))


def asked(folder: Path, age: str = "90d") -> Answer:
    """Whether a drill of the backups in `folder` is due."""
    shop = Database(
        "shop", "f", backups=str(folder), every=86400.0, budgets={"max_backup_age": age}
    )
    return answer(known_of([shop])["shop"], NOW)


@pytest.mark.parametrize("verdict", ["passed", "failed"])
def test_a_drill_that_could_not_run_hides_nothing(
    noted: Noted, tmp_path: Path, verdict: str
) -> None:
    """Neither a backup that has failed nor one that was overwritten."""
    noted(3, verdict)
    written(noted(1, "could-not-run", backup=None), 2)

    assert asked(tmp_path)[:2] == (True, "its last drill could not run")
    noted(0.5, "passed", backup="crm.sql")
    assert asked(tmp_path).why.startswith("no drill has proved its newest backup: shop.sql")


def test_a_failure_is_red_whatever_has_passed_since(noted: Noted, tmp_path: Path) -> None:
    """The newest backup counts, with the drill in which it has failed."""
    noted(3, "failed")
    noted(2, "could-not-run")
    noted(1, "passed", backup="crm.sql")
    found = asked(tmp_path)

    assert (found.is_due, found.is_red) == (False, True), found
    assert found.failed and found.failed.at == NOW - 3 * HOUR
    assert found.why.startswith("its last drill failed 3 h ago, and there is no newer backup")


def test_a_backup_that_is_back_is_due(noted: Noted, tmp_path: Path) -> None:
    """Though it was proved before it was away; once it has failed itself, its time counts."""
    noted(4, "passed")
    noted(3, "failed", backup=None)
    back = asked(tmp_path)
    noted(2, "failed", backup="crm.sql")
    other = asked(tmp_path)
    noted(1, "failed")

    assert back[:2] == (
        True, "its last drill found no backup, and there is one now: shop.sql"
    )  # fmt: skip
    assert other.is_due and other.why.endswith("another backup than its newest: shop.sql")
    assert (asked(tmp_path).is_due, asked(tmp_path).is_red) == (False, True)


def test_a_limit_that_was_tightened_is_due_once(noted: Noted, tmp_path: Path) -> None:
    """One that passed by the same limit, because that was waived, is not asked for again."""
    noted(1, "passed", budgets={"age": 93600.0})
    found = asked(tmp_path, "2h")
    noted(0.5, "passed", budgets={"age": 7200.0})

    assert found[:2] == (True, "its newest backup is older than 2 h: shop.sql")
    assert not asked(tmp_path, "2h").is_due


@pytest.mark.parametrize("damage", [b"{ nothing", b"\0" * 40])
def test_a_damaged_history_is_due(noted: Noted, tmp_path: Path, damage: bytes) -> None:
    """What cannot be read after the last drill may have been of one that failed."""
    noted(2, "passed")
    history = tmp_path / ".drill" / "history.jsonl"
    history.write_bytes(history.read_bytes() + damage)
    found = asked(tmp_path)
    noted(1, "passed")

    assert found.is_due and found.why.startswith("its history is damaged after its last drill")
    assert not asked(tmp_path).is_due


def test_a_file_that_came_in_the_place_of_another_is_due(noted: Noted, tmp_path: Path) -> None:
    """Though it has an older time (`cp -p`), or the clock of the machine that drilled is ahead."""
    path = noted(2, "passed", stamp=stamp_of(tmp_path / "shop.sql"))
    assert not asked(tmp_path).is_due
    written(path, 12)
    older = asked(tmp_path)
    noted(-0.9, "passed", stamp=stamp_of(path))
    assert not asked(tmp_path).is_due
    written(path, 0)

    assert older[:2] == (True, "no drill has proved its newest backup: shop.sql")
    assert asked(tmp_path).is_due


def test_files_in_a_folder_tell_whether_it_has_changed(tmp_path: Path) -> None:
    """Of an entry without a stamp their times do; what drills note below it is no part of it."""
    data, notes = tmp_path / "dump" / "3001.dat.gz", tmp_path / "dump" / ".drill" / "history.jsonl"
    notes.parent.mkdir(parents=True)
    data.write_bytes(b"\x1f\x8b rows")
    written(data, 5)
    backup = Candidate(data.parent, Kind("directory"), 7, NOW - 5 * HOUR, "its name")
    old = replace(PASSED, at=NOW - 3 * HOUR)
    new = replace(old, stamp=stamp_of(data.parent))
    notes.touch()
    assert is_unchanged(backup, old) and is_unchanged(backup, new)
    data.write_bytes(b"\x1f\x8b swor")

    assert not is_unchanged(backup, old) and not is_unchanged(backup, new)
    assert stamp_of(tmp_path / "nothing") is None


def test_other_criteria_are_due(noted: Noted, tmp_path: Path) -> None:
    """The file, its queries and limits; a drill from before that was noted is none of others."""
    home = tmp_path / "criteria"
    (home / "sql").mkdir(parents=True)
    (home / "shop.toml").write_text("[sql]\ntimeout = '5s'\n")
    (home / "sql" / "a.sql").write_text(QUERY)

    def shop(**budgets: str) -> Database:
        criteria = load_criteria(home / "shop.toml")
        limits = {"max_backup_age": "90d"} | budgets
        return Database(
            "shop", "f", backups=str(tmp_path), criteria=criteria, every=9e9, budgets=limits
        )

    assert set(dict(files_of(load_criteria(home / "shop.toml")))) == {
        "drill/shop.toml", "drill/sql/a.sql"
    }  # fmt: skip
    noted(2, "passed")
    assert not answer(known_of([shop()])["shop"], NOW).is_due
    noted(1, "passed", terms=terms_of(settings_of(shop())))
    same, tighter = (
        known_of([each])["shop"] for each in (shop(), shop(max_restore_time="1s"))
    )  # fmt: skip
    assert not answer(same, NOW).is_due and answer(tighter, NOW).is_due
    (home / "sql" / "a.sql").write_text("SELECT 1\n")

    why = "its criteria or limits have changed since its last drill"
    assert answer(known_of([shop()])["shop"], NOW)[:2] == (True, why)


def test_a_base_backup_is_known_by_its_files(tmp_path: Path) -> None:
    """Its list has another size than its drill, and may not know when it was taken."""
    tar = tmp_path / "b" / "base.tar.gz"
    tar.parent.mkdir()
    tar.write_bytes(b"\x1f\x8b rows")
    backup = Candidate(tar.parent, Kind("base"), 7, NOW, "the file's modification time")
    drill = replace(
        PASSED, backup="b", series=backup.series, size=39_818_709, stamp=stamp_of(tar.parent)
    )
    ledger = Ledger([drill])
    assert ledger.proved(backup) and is_unchanged(backup, drill)
    assert not Ledger([replace(drill, stamp=None)]).proved(backup)
    assert not Ledger([replace(drill, backup="a")]).proved(backup)
    tar.write_bytes(b"\x1f\x8b swor")

    assert not ledger.proved(backup) and not ledger.verdict_on(backup)
    assert not is_unchanged(backup, drill)


def test_a_folder_in_a_bucket_is_as_old_as_its_newest_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as its list, which makes a folder for it; it is the same one once it is fetched."""
    folder = tmp_path / "b"
    folder.mkdir()
    for name, hours in (("base.tar.gz", 5), ("pg_wal.tar.gz", 4)):
        (folder / name).write_bytes(bytes(9))
        monkeypatch.setitem(
            origins, folder / name, Origin("1", 9, NOW - hours * HOUR, lambda: ())
        )  # fmt: skip
    before = stamp_of(folder)
    (folder / "base.tar.gz").write_bytes(b"fetched")

    assert look_at(folder, UTC).taken_at == NOW - 4 * HOUR
    assert before and stamp_of(folder) == before


def test_a_part_of_a_second_is_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MinIO lists milliseconds, and tells whole seconds of one object that is named."""
    path = tmp_path / "shop.sql"
    whole = NOW.replace(microsecond=0)
    stamps = []
    for when in (whole, whole + timedelta(milliseconds=123), whole + timedelta(seconds=1)):
        monkeypatch.setitem(origins, path, Origin("1", 9, when, lambda: ()))
        stamps.append(stamp_of(path))

    assert stamps[0] == stamps[1] != stamps[2]


def test_an_increment_is_not_due_again(tmp_path: Path) -> None:
    """Its drill notes the size of its whole chain, which a list does not look for."""
    folder = tmp_path / "bk"
    (folder / ".drill").mkdir(parents=True)
    with source(17, rows=20) as server:
        server.sql("ALTER TABLE events SET TABLESPACE pg_default")
        server.sql("DROP TABLESPACE ts1")
        full = server.base_backup("full")
        server.commit("between")
        increment = server.base_backup("incr", f"--incremental={full}/backup_manifest")
        for path, day in ((full, 29), (increment, 30)):
            shutil.copytree(path, folder / f"{path.name}_202611{day}_0100")
    shop = Database("shop", "f", backups=str(folder), every=9e9)
    chosen = choose(settings_of(shop))
    assert isinstance(chosen, Backup) and chosen.physical and len(chosen.physical.members) == 2
    record = backup_record(chosen, 1.0, folder / "none")
    names = {"backup": record["name"], "series": record["series"], "place": None}
    drill = replace(PASSED, **names, at=NOW, size=record["bytes"], stamp=record["stamp"])
    note(folder / ".drill" / "history.jsonl", drill)
    newest = known_of([shop])["shop"].newest
    assert [each.size < chosen.size for each in newest] == [True]

    assert not (found := answer(known_of([shop])["shop"], NOW)).is_due, found
    (folder / record["name"] / "base" / "more").write_bytes(b"1")
    assert answer(known_of([shop])["shop"], NOW).is_due


def test_drills_with_other_limits_do_not_count(noted: Noted, tmp_path: Path) -> None:
    """Two fleets on one history: each goes by its own drills, and is not due for the other's."""
    mine, other = (
        Database("shop", "f", backups=str(tmp_path), every=86400.0, budgets=budgets)
        for budgets in (
            {"max_backup_age": "90d"}, {"max_backup_age": "90d", "max_restore_time": "10min"}
        )
    )  # fmt: skip

    def drilled(hours: float, verdict: str, by: Database) -> None:
        noted(
            hours, verdict, terms=terms_of(settings_of(by)), stamp=stamp_of(tmp_path / "shop.sql")
        )

    def found(database: Database) -> Answer:
        return answer(known_of([database])["shop"], NOW)

    drilled(5, "passed", mine)
    assert found(other).why == "its criteria or limits have changed since its last drill"
    drilled(4, "passed", other)
    assert [found(each).is_due for each in (mine, other)] == [False, False]
    assert found(mine).why.startswith("passed 5 h ago")

    drilled(3, "failed", other)
    assert found(mine).why == "a drill with other criteria or limits has failed since it passed"
    drilled(2, "passed", mine)
    assert [found(each)[:1] for each in (mine, other)] == [(False,), (False,)]
    assert not found(mine).is_red and found(other).is_red

    written(tmp_path / "shop.sql", 1)
    drilled(0.5, "passed", other)
    assert found(mine).why == "no drill has proved its newest backup: shop.sql"
    assert not found(other).is_due


def test_a_name_that_cannot_be_shown_is_known(noted: Noted, tmp_path: Path) -> None:
    """A history has it as it is."""
    name = "a\x1b.sql"
    noted(2, "passed", backup=name).rename(tmp_path / name)
    assert not (found := asked(tmp_path)).is_due, found


def test_what_was_drilled_is_not_due_until_it_changes(shops: Shops, tmp_path: Path) -> None:
    """A drill in another process notes what the next run compares: of a file, and of a folder."""
    for name in ("file", "folder", "criteria/sql"):
        (tmp_path / name).mkdir(parents=True)
    dump, folder = tmp_path / "file" / "shop.sql", tmp_path / "folder" / "shop"
    shutil.copy(shops.dump(USUAL, "plain.sql"), dump)
    shutil.copytree(shops.dump(USUAL, "directory"), folder)
    (tmp_path / "criteria" / "shop.toml").write_text("[sql]\ntimeout = '5s'\n")
    (tmp_path / "criteria" / "sql" / "a.sql").write_text(QUERY)
    (tmp_path / "fleet.toml").write_text(
        "[defaults]\nbudgets = { max_total_time = '10min' }\noptions = ['--heapallindexed']\n"
        "[databases.file]\nbackups = 'file'\ncriteria = 'criteria/shop.toml'\n"
        "[databases.folder]\nbackups = 'folder'\n"
    )

    def due() -> dict[str, str]:
        databases = list(load_inventory(tmp_path / "fleet.toml", {}).databases.values())
        found = {name: answer(each) for name, each in known_of(databases).items()}
        return {name: each.why for name, each in found.items() if each.is_due}

    done = fleet(tmp_path, "run")
    rows = json.loads((tmp_path / "drill-report" / "fleet.json").read_text())["databases"]
    assert {row["state"] for row in rows} <= set(GREEN), done.stdout + done.stderr
    result = json.loads((tmp_path / "drill-report/fleet/file/result.json").read_text())
    assert any(check["id"].endswith("a.sql::a") for check in result["checks"]), result["checks"]
    assert due() == {}

    os.utime(dump, (1.7e9, 1.7e9))
    data = max(folder.glob("*.dat*"))
    data.write_bytes(data.read_bytes()[::-1])
    why = "no drill has proved its newest backup: "
    assert due() == {"file": f"{why}shop.sql", "folder": f"{why}shop"}

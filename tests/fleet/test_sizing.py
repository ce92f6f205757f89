"""What a drill needs, from its backup and its history."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.config.criteria import load_criteria
from restore_drill.config.environment import read_environment
from restore_drill.config.settings import Settings
from restore_drill.fleet import known, sizing
from restore_drill.fleet.asked import Asked
from restore_drill.fleet.jobs import environment_of, inherited, job_of
from restore_drill.fleet.known import Known, known_of
from restore_drill.fleet.model import Database, Needs
from restore_drill.fleet.sizing import USUAL, needs_of, seconds_of, within
from restore_drill.servers.place import GROWTH, MINIMUM_ROOM
from restore_drill.watch.history import History
from tests.helpers.histories import FAILED, PASSED
from tests.helpers.physical import source
from tests.helpers.shop import USUAL as MAJOR
from tests.helpers.shop import Shops


def of(folder: Path, **values: object) -> Known:
    """What is known of the database whose backups lie in `folder`."""
    database = replace(Database("shop", "fleet.toml", backups=str(folder)), **values)  # type: ignore[arg-type]
    return known_of([database])["shop"]


def test_needs_are_those_of_the_restore(shops: Shops, tmp_path: Path) -> None:
    """Plain SQL as it is, an archive at four times its size; what the inventory says counts."""
    found = {}
    for form in ("plain.sql", "custom.dump"):
        (folder := tmp_path / form).mkdir()
        shutil.copy(shops.dump(MAJOR, form), folder / form)
        found[form] = (folder / form).stat().st_size
        factor = 1 if form == "plain.sql" else 4
        assert needs_of(of(folder)).disk == GROWTH * factor * found[form] + MINIMUM_ROOM
        assert needs_of(of(folder)).cores == 1
    own = needs_of(of(tmp_path / "plain.sql", needs=Needs(disk=7, cores=3)))
    assert (own.disk, own.cores) == (7, 3) and own.memory


def test_a_large_backup_is_worth_two_cores(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small one is not."""
    shutil.copy(shops.dump(MAJOR, "plain.sql"), tmp_path / "shop.sql")
    small = needs_of(of(tmp_path))
    monkeypatch.setattr(sizing, "LARGE", (tmp_path / "shop.sql").stat().st_size)

    assert (small.cores, needs_of(of(tmp_path)).cores) == (1, 2)


def test_a_physical_backup_needs_its_own_size(tmp_path: Path) -> None:
    """With WAL, and what its checks sort."""
    with source(15, rows=200) as server:
        shutil.copytree(server.base_backup("base", form="tar"), tmp_path / "shop" / "base")
    size = sum(each.stat().st_size for each in (tmp_path / "shop" / "base").iterdir())
    disk = needs_of(of(tmp_path / "shop")).disk or 0

    assert size < disk < 3 * (size + (1 << 30))


def test_a_place_that_cannot_be_read_has_the_usual_needs(tmp_path: Path) -> None:
    """The drill itself says why."""
    gone = of(tmp_path / "gone")

    assert gone.why and needs_of(gone) == USUAL


def test_a_place_that_does_not_answer_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within its limit, and the others are listed meanwhile."""
    (tmp_path / "slow").mkdir()
    (tmp_path / "quick").mkdir()
    real = known.backups_of

    def slow(settings: Settings, asked: Asked) -> object:
        if settings.backup_path and settings.backup_path.name == "slow":
            time.sleep(5)
        return real(settings, asked)

    monkeypatch.setattr(known, "backups_of", slow)
    two = [Database(name, "f", backups=str(tmp_path / name)) for name in ("slow", "quick")]
    found = known_of(two, 0.5)

    assert found["slow"].why == "no answer within 0.50 s" and found["quick"].why == ""


def test_an_estimate_never_keeps_a_drill_from_a_small_machine() -> None:
    """What the inventory asks for does."""
    needs = Needs(disk=9, memory=8, cores=2)

    assert within(needs, Needs(), 1, 4) == Needs(disk=9, memory=4, cores=1)
    assert within(needs, Needs(memory=8, cores=2), 1, 4) == needs


def test_seconds_are_those_of_the_last_passes() -> None:
    """Three of them; nothing without one."""
    drills = [replace(PASSED, total=float(each)) for each in (100, 1, 2, 3)]
    history = History(Path(), [*drills, FAILED])
    shop = Known(Database("shop", "f"), history=history)

    assert seconds_of(shop) == 2.0
    assert seconds_of(replace(shop, history=History(Path(), [FAILED]))) is None


def test_a_job_has_no_secret_among_its_arguments(tmp_path: Path) -> None:
    """A signed link is a variable; the channels of a single drill are none of the fleet's."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[notify]\nchannels = ["TEAM_URL"]\n')
    link = "https://example.org/shop.dump?signature=s3cret"
    shop = Database(
        "shop", "f", backup=link, criteria=load_criteria(criteria), options=("--heapallindexed",)
    )
    job = job_of(shop, Needs(1, 2, 3), 4.0)

    assert not any("s3cret" in each for each in job.arguments)
    assert {"--jobs=3", "--heapallindexed", "--criteria=drill/criteria.toml"} <= set(job.arguments)
    assert job.environment == environment_of(shop)
    assert job.environment["DRILL_BACKUP"] == link
    silent = ("DRILL_NOTIFY", "DRILL_ISSUES", "DRILL_PING", "TEAM_URL")
    assert [job.environment[name] for name in silent] == [""] * 4
    assert "s3cret" not in repr(job) + repr(shop)


def test_no_file_of_a_machine_chooses_what_is_drilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The `.env` of the clone, or of the folder that a worker was started in, is not a drill's."""
    (tmp_path / ".env").write_text("DRILL_BACKUP=/another\nDRILL_KEEP=always\n")
    assert read_environment(tmp_path)["DRILL_BACKUP"] == "/another"
    for name, value in environment_of(Database("shop", "f", backups="/b")).items():
        monkeypatch.setenv(name, value)

    assert not {"DRILL_BACKUP", "DRILL_KEEP"} & set(read_environment(tmp_path))


def test_a_worker_chooses_no_backup() -> None:
    """What its environment names is not what is drilled; keys stay."""
    names = ("BACKUP_PATH", "DRILL_BACKUP", "DRILL_SERIES", "DATABASE_URL", "AWS_REGION")

    assert inherited(dict.fromkeys(names, "x")) == {"AWS_REGION": "x"}

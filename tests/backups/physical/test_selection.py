"""Which physical backup is drilled: of a folder of them, of a repository, beside dumps."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.backups.formats import recognise
from restore_drill.backups.model import Backup
from restore_drill.backups.physical.model import BARMAN, BASE, CHAIN, COLD, PGBACKREST, PLAIN, TAR
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from restore_drill.selection.schemes import in_series
from restore_drill.selection.select import select_backup
from restore_drill.selection.tree import list_folder
from tests.helpers.folders import DUMP
from tests.helpers.physical import Source, copied
from tests.helpers.repositories import Barman, Rest, barman_server, pgbackrest_repository

ROOT = Path(__file__).parents[3]
OLD = timedelta(days=2)


def settings_of(**options: str | None) -> Settings:
    """Settings of a drill with these options."""
    return settings_from(options, here=ROOT, root=ROOT)


def chosen(folder: Path, **more: str) -> Backup:
    """The backup that a drill of BACKUP_PATH would be of."""
    return select_backup(replace(settings_of(**more), backup_path=folder))


def older(path: Path, days: int) -> Path:
    """Have the label of a plain backup say that it was taken so many days before."""
    label = path / "backup_label"
    now = datetime.now(UTC)
    text = label.read_text().replace(f"{now:%Y-%m-%d}", f"{now - timedelta(days=days):%Y-%m-%d}")
    label.write_text(text)
    return path


def names_of(folder: Path) -> dict[str, list[str]]:
    """Names of the backups in `folder`, by series."""
    listing = list_folder(folder, UTC)
    return {each[0].series: [one.path.name for one in each] for each in in_series(listing.found)}


def test_newest_of_a_folder_is_drilled(source15: Source, tmp_path: Path) -> None:
    """By the time that the backups say themselves, plain and tars in one series."""
    place = tmp_path / "pg"
    place.mkdir()
    days = [f"{datetime.now(UTC) - timedelta(days=number):%Y-%m-%d}" for number in (0, 1, 2)]
    shutil.copytree(source15.folder / "gzip", place / days[0])
    older(copied(source15.folder / "plain", place / days[1]), 1)
    older(copied(source15.folder / "plain", place / days[2]), 2)
    for number in (1, 2):
        Path(f"{place / days[number]}.ts1").rename(tmp_path / f"ts1.{number}")

    found = chosen(place)

    assert names_of(place) == {"pg/physical": days}
    assert (found.format, found.format_text) == (BASE, "pg_basebackup, tar, gzip")
    assert found.path.name == days[0]
    assert found.physical is not None and found.physical.newest.form == TAR
    assert found.taken_at == found.physical.started_at
    assert found.time_source == "its backup_label"
    assert len(found.earlier_sizes) == 2
    assert found.passed_over == ()


@pytest.mark.parametrize("form", ["plain", "gzip"])
def test_folder_may_be_one_backup_itself(form: str, source15: Source) -> None:
    """BACKUP_PATH and --backup name it alike."""
    path = source15.folder / form
    named = select_backup(settings_of(backup=str(path)))
    found = chosen(path)

    assert found.path == named.path == path
    assert found.physical is not None and found.physical == named.physical
    assert found.physical.newest.form == (PLAIN if form == "plain" else TAR)
    assert found.size == found.physical.size + found.physical.wal_size


def test_chain_is_one_series(source18: Source, tmp_path: Path) -> None:
    """Full and incremental backups; the newest is drilled, with all that it is made of."""
    for name in ("full", "inc1", "inc2"):
        copied(source18.folder / name, tmp_path / name)
        Path(f"{tmp_path / name}.ts1").rename(tmp_path.parent / f"{tmp_path.name}.{name}")

    found = chosen(tmp_path)

    assert list(names_of(tmp_path).values()) == [["inc2", "inc1", "full"]]
    assert (found.format, found.format_text) == (CHAIN, "incremental, 3 backups, plain")
    assert found.physical is not None
    assert [each.path.name for each in found.physical.members] == ["full", "inc1", "inc2"]
    assert "it is restored from 3 backups: full, inc1, inc2" in found.remarks


def test_wal_archive_beside_the_backups_is_found(
    source15: Source, source18: Source, tmp_path: Path
) -> None:
    """Where it has a usual name and is of the same server; that is said, and nothing skipped."""
    place = tmp_path / "backups"
    (place / "base").mkdir(parents=True)
    shutil.copytree(source15.folder / "tar", place / "base" / "2026-11-29")
    shutil.copytree(source15.archive, place / "wal")
    found = chosen(place)
    assert found.physical is not None and found.physical.archive == place / "wal"
    assert any("WAL archive beside the backup" in each for each in found.remarks)

    shutil.rmtree(place / "wal")
    shutil.copytree(source18.archive, place / "wal")
    other = chosen(place)
    assert other.physical is not None and other.physical.archive is None


def test_unfinished_backup_is_passed_over(source15: Source, tmp_path: Path) -> None:
    """One that pg_basebackup writes, or has left, is told by what lies in it."""
    shutil.copytree(source15.folder / "tar", tmp_path / "pg-2026-11-28")
    later = tmp_path / "pg-2026-11-29"
    shutil.copytree(source15.folder / "gzip", later)
    (later / "backup_manifest").rename(later / "backup_manifest.tmp")

    found = chosen(tmp_path)

    assert found.path.name == "pg-2026-11-28"
    assert any("pg-2026-11-29: still being written" in each for each in found.passed_over)


def test_damaged_backup_is_not_passed_over(source15: Source, tmp_path: Path) -> None:
    """The newest one is drilled, and found wanting, whatever is missing in it."""
    for name, lost in (("a", "base.tar"), ("b", "pg_wal.tar")):
        shutil.copytree(source15.folder / "tar", tmp_path / name / "2026-11-29")
        (tmp_path / name / "2026-11-29" / lost).unlink()
        assert chosen(tmp_path / name).format == BASE
    copied(source15.folder / "plain", tmp_path / "plain")
    shutil.rmtree(tmp_path / "plain" / "global")
    (tmp_path / "plain" / "PG_VERSION").unlink()
    assert recognise(tmp_path / "plain").format == BASE


def test_running_server_is_never_a_backup(source15: Source, tmp_path: Path) -> None:
    """Its directory is passed over; a copy with its lock file is a snapshot."""
    place = source15.folder / "place"
    place.mkdir()
    (place / "live").symlink_to(source15.data)
    try:
        with pytest.raises(BackupFault) as error:
            chosen(place)
    finally:
        shutil.rmtree(place)
    assert "the data directory of a running PostgreSQL server" in str(error.value)
    copied(source15.data, tmp_path / "snapshot")
    assert (tmp_path / "snapshot" / "postmaster.pid").exists()
    assert chosen(tmp_path).format == COLD


def test_physical_backups_lie_beside_dumps(source15: Source, tmp_path: Path) -> None:
    """They are another series; a dump whose name is a date alone is not of theirs."""
    day = f"{datetime.now(UTC) - OLD:%Y-%m-%d}"
    place = tmp_path / "pg"
    place.mkdir()
    (place / f"{day}.sql").write_bytes(DUMP)
    shutil.copytree(source15.folder / "tar", place / "2026-11-29")

    assert names_of(place) == {"pg/physical": ["2026-11-29"], "pg/": [f"{day}.sql"]}
    assert chosen(place).format == BASE
    assert chosen(place).not_drilled


@pytest.fixture(scope="module")
def rest(source15: Source) -> Rest:
    """A repository of two sets."""
    made = pgbackrest_repository(source15)
    made.backup()
    made.backup("incr")
    return made


@pytest.fixture(scope="module")
def barman(source15: Source, rest: Rest) -> Barman:
    """A Barman server with a backup; it archives instead of the repository."""
    del rest
    made = barman_server(source15)
    made.backup()
    return made


def test_repository_is_one_candidate(rest: Rest, tmp_path: Path) -> None:
    """Its newest set, or the one that is asked for, and no file in it is a dump."""
    shutil.copytree(rest.path, tmp_path / "repo")
    (tmp_path / "repo" / "backup" / "main" / "shop.sql").write_bytes(DUMP)
    (tmp_path / "repo" / "archive" / "main" / "shop.sql").write_bytes(DUMP)
    labels = [each["label"] for each in rest.info()[0]["backup"]]

    found = chosen(tmp_path)

    assert names_of(tmp_path) == {f"{tmp_path.name}/repo": ["repo"]}
    assert (found.format, found.format_text) == (PGBACKREST, f"pgBackRest, {labels[-1]}")
    assert found.physical is not None and found.taken_at == found.physical.stopped_at
    assert found.time_source == "pgBackRest" and len(found.earlier_sizes) == 1
    first = chosen(tmp_path, set=labels[0])
    assert first.physical is not None and first.physical.name == labels[0]
    assert f"the set {labels[0]} was asked for; the newest is {labels[-1]}" in first.remarks
    with pytest.raises(UsageError, match=labels[0]):
        chosen(tmp_path, set="20200101-000000F")
    for below in ("repo", "repo/backup", "repo/backup/main", "repo/archive"):
        assert chosen(tmp_path / below).format == PGBACKREST


def test_each_stanza_is_a_series(rest: Rest, tmp_path: Path) -> None:
    """A repository of several servers is several backups."""
    for kind in ("backup", "archive"):
        for stanza in ("main", "other"):
            shutil.copytree(rest.path / kind / "main", tmp_path / "repo" / kind / stanza)
    assert sorted(names_of(tmp_path)) == ["backup/main", "backup/other"]
    assert chosen(tmp_path).format == PGBACKREST


def test_missing_program_makes_no_older_backup_the_newest(
    rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository that cannot be read is chosen all the same, with what to install."""
    shutil.copytree(rest.path, tmp_path / "repo")
    monkeypatch.setenv("PATH", "/nonexistent")
    found = chosen(tmp_path)
    assert found.format == PGBACKREST and found.locked is not None
    assert isinstance(found.locked, CouldNotRun)
    assert any("install pgBackRest" in each for each in found.locked.remedy)


def test_barman_server_is_one_candidate(barman: Barman, tmp_path: Path) -> None:
    """By its home, its folder, or beside dumps; its files are never dumps."""
    (tmp_path / "shop_2020-01-01.sql").write_bytes(DUMP)
    shutil.copytree(barman.path, tmp_path / "barman", symlinks=True)
    found = chosen(tmp_path)
    assert found.format == BARMAN and found.time_source == "Barman"
    assert len(names_of(tmp_path)) == 2
    assert chosen(barman.path).format == chosen(barman.server).format == BARMAN

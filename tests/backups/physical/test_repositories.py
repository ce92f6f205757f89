"""Backups of repositories: which one is meant, and what its tool says of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.backups.physical import repositories
from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import BARMAN, PGBACKREST, Physical, show_lsn
from restore_drill.backups.physical.repositories import (
    Place,
    command_for,
    place_of,
    use_pgbackrest,
)
from restore_drill.backups.physical.verify import verify
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from tests.helpers.physical import source
from tests.helpers.repositories import Barman, Rest, barman_server, pgbackrest_repository

PASSPHRASE = "no-drill-shows-this"


@dataclass
class Repositories:
    """One server's backups: three sets, an encrypted one, two of Barman's."""

    rest: Rest
    sealed: Rest
    barman: Barman
    labels: list[str]
    system: str


@pytest.fixture(scope="module")
def made() -> Iterator[Repositories]:
    """The repositories."""
    with source(15, rows=100) as server:
        rest = pgbackrest_repository(server)
        labels = [rest.backup(kind) for kind in ("full", "diff", "incr")]
        cipher = {"repo1_cipher_type": "aes-256-cbc", "repo1_cipher_pass": PASSPHRASE}
        sealed = pgbackrest_repository(server, "sealed", **cipher)
        sealed.backup()
        barman = barman_server(server)
        barman.backup()
        system = str(server.sql("SELECT system_identifier FROM pg_control_system()"))
        yield Repositories(rest, sealed, barman, labels, system)


@pytest.fixture(autouse=True)
def named_by_nobody() -> Iterator[None]:
    """No repository is named, before and after."""
    use_pgbackrest(None)
    yield
    use_pgbackrest(None)


def known(path: Path, set_name: str = "") -> Physical:
    """The physical backup at `path`."""
    found = physical_at(path, set_name=set_name)
    assert found is not None
    return found


def test_newest_set_of_a_repository_is_meant(made: Repositories) -> None:
    """With the sets that it is made of, its server, its LSNs and times, its tablespace."""
    found = known(made.rest.path)
    said = made.rest.info()[0]["backup"][-1]

    assert (found.kind, found.name, found.sets) == (
        PGBACKREST, made.labels[-1], tuple(made.labels),
    )  # fmt: skip
    assert [each.path.name for each in found.members] == made.labels
    assert (found.major, found.system) == (15, made.system)
    assert found.start_lsn is not None and show_lsn(found.start_lsn) == said["lsn"]["start"]
    assert found.stop_lsn is not None and show_lsn(found.stop_lsn) == said["lsn"]["stop"]
    assert found.first_segment == said["archive"]["start"]
    assert found.segment_size == 1 << 24
    (space,) = found.tablespaces
    assert (space.name, space.location) == ("ts1", str(made.rest.source.tablespace))
    assert found.archive == made.rest.path / "archive" / "main"
    assert found.stopped_at is not None
    assert timedelta(0) < datetime.now(UTC) - found.stopped_at < timedelta(minutes=10)
    assert found.size > 20e6 and found.has_label and not found.has_wal


@pytest.mark.parametrize("below", ["backup", "backup/main", "archive", "archive/main"])
def test_each_folder_of_a_repository_names_it(below: str, made: Repositories) -> None:
    """Its root need not be named."""
    assert known(made.rest.path / below).name == made.labels[-1]


def test_set_is_meant_by_its_label_or_folder(made: Repositories) -> None:
    """By --set, or by the path of its folder; one that is not there is the user's mistake."""
    first = made.labels[0]
    by_name = known(made.rest.path, first)
    folder = made.rest.path / "backup" / "main" / first
    assert by_name.name == known(folder).name == known(folder / "pg_data").name == first
    assert [each.path for each in by_name.members] == [folder]
    assert place_of(by_name) == Place(made.rest.path, "main")
    with pytest.raises(UsageError, match=made.labels[-1]):
        physical_at(made.rest.path, set_name="20200101-000000F")


def test_encrypted_repository_is_read_with_its_configuration(made: Repositories) -> None:
    """The criteria file names it; without it no byte of it and no passphrase is shown."""
    with pytest.raises(CouldNotRun) as error:
        physical_at(made.sealed.path)
    assert "encrypted" in str(error.value)
    assert str(error.value).isprintable() or "\n" in str(error.value)
    assert "Salted" not in str(error.value)

    use_pgbackrest(PgBackRest("main", made.sealed.config))
    found = known(made.sealed.path)
    assert found.system == made.system
    assert PASSPHRASE not in " ".join(command_for(found))


def test_its_own_configuration_is_used_where_it_names_the_repository(
    made: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encrypted repository of this machine needs no words in the criteria file."""
    monkeypatch.setattr(repositories, "ITS_CONFIGS", (made.sealed.config,))
    assert known(made.sealed.path).system == made.system
    assert known(made.rest.path).name == made.labels[-1]


def test_missing_program_is_no_fault_of_the_backup(
    made: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pgbackrest the drill cannot run, and says what to install."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CouldNotRun, match="apt-get install pgbackrest"):
        physical_at(made.rest.path)


def test_stanza_that_has_lost_its_files_is_a_fault(made: Repositories, tmp_path: Path) -> None:
    """Its list names files that are gone, or is no list."""
    path = tmp_path / "repo"
    shutil.copytree(made.rest.path, path)
    for label in made.labels:
        shutil.rmtree(path / "backup" / "main" / label)
    with pytest.raises(BackupFault, match="its files are gone"):
        physical_at(path)
    for name in ("backup.info", "backup.info.copy"):
        (path / "backup" / "main" / name).write_text("[backrest]\nrubbish\n")
    with pytest.raises(BackupFault, match="damaged"):
        physical_at(path)


def test_several_stanzas_are_told_apart(made: Repositories, tmp_path: Path) -> None:
    """Nobody guesses which one is meant; the criteria file or the path says it."""
    path = tmp_path / "repo"
    shutil.copytree(made.rest.path, path)
    for kind in ("backup", "archive"):
        shutil.copytree(path / kind / "main", path / kind / "other")
    with pytest.raises(UsageError, match="main, other"):
        physical_at(path)
    assert known(path / "backup" / "main").name == made.labels[-1]


def test_barman_backup_is_read_from_its_folders(made: Repositories) -> None:
    """By the home, the server's folder, or the backup's; its tablespace lies beside its data."""
    server = made.barman.server
    found = known(made.barman.path)

    (name,) = found.sets
    assert (found.kind, found.name, found.major) == (BARMAN, name, 15)
    assert found.version.startswith("15.")
    assert found.system == made.system
    assert found.newest.path == server / "base" / name / "data"
    assert found.newest.manifest == found.newest.path / "backup_manifest"
    (space,) = found.tablespaces
    assert (space.name, space.location) == ("ts1", str(made.barman.source.tablespace))
    assert (found.newest.path.parent / str(space.oid)).is_dir()
    assert found.archive == server / "wals"
    assert found.start_lsn is not None and found.stop_lsn is not None
    assert found.start_lsn < found.stop_lsn and found.has_label
    assert found.stopped_at is not None and found.started_at is not None
    assert found.started_at < found.stopped_at
    for path in (server, server / "base", server / "base" / name, found.newest.path):
        assert known(path).name == name


def test_unfinished_barman_backup_is_passed_over(made: Repositories, tmp_path: Path) -> None:
    """One that failed or still runs is not meant; without another that is a fault."""
    server = tmp_path / "shop"
    shutil.copytree(made.barman.server, server, symlinks=True)
    (base,) = (server / "base").iterdir()
    later = server / "base" / "20991231T235959"
    later.mkdir()
    text = (base / "backup.info").read_text()
    (later / "backup.info").write_text(text.replace("status=DONE", "status=FAILED"))
    assert known(server).name == base.name
    with pytest.raises(UsageError, match="no such backup"):
        physical_at(server, set_name="20200101T000000")

    (base / "backup.info").write_text(text.replace("status=DONE", "status=STARTED"))
    with pytest.raises(BackupFault, match="FAILED"):
        physical_at(server)


def faults_of(path: Path, tmp_path: Path, set_name: str = "") -> tuple[str, ...]:
    """What is wrong with the backup at `path`."""
    folder = tmp_path / f"private{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return verify(known(path, set_name), folder, lambda _: None).faults


def flip(path: Path) -> None:
    """Turn over the bits of a byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def test_whole_repositories_are_without_faults(made: Repositories, tmp_path: Path) -> None:
    """Also an encrypted one; what Barman has a manifest of is compared with it."""
    assert faults_of(made.rest.path, tmp_path) == ()
    assert faults_of(made.barman.path, tmp_path) == ()
    use_pgbackrest(PgBackRest("main", made.sealed.config))
    assert faults_of(made.sealed.path, tmp_path) == ()


def test_damaged_set_is_judged_by_its_status(made: Repositories, tmp_path: Path) -> None:
    """Verify ends with exit code 0; the increment is damaged with what it is made of."""
    path = tmp_path / "repo"
    shutil.copytree(made.rest.path, path)
    full = path / "backup" / "main" / made.labels[0]
    flip(max(full.rglob("*"), key=lambda each: each.stat().st_size if each.is_file() else 0))

    text = "\n".join(faults_of(path, tmp_path))

    assert f"{made.labels[0]} is invalid" in text and f"{made.labels[-1]} is invalid" in text
    assert "invalid checksum" in text or "invalid result" in text


def test_lost_segment_of_a_set_is_a_fault(made: Repositories, tmp_path: Path) -> None:
    """The WAL that the set itself needs, which pgbackrest verify does not miss."""
    path = tmp_path / "repo"
    shutil.copytree(made.rest.path, path)
    first = known(path).first_segment
    (lost,) = (path / "archive").rglob(f"{first}-*")
    lost.unlink()
    assert any(first in each for each in faults_of(path, tmp_path))


def cut_without_manifest(data: Path) -> None:
    """Empty a file of a backup that has lost its manifest."""
    (data / "backup_manifest").unlink()
    (data / "global" / "1262").write_bytes(b"")


def lose_tablespace(data: Path) -> None:
    """Remove the tablespace; the link to it leads to the one that this is a copy of."""
    shutil.rmtree(next(each for each in data.parent.iterdir() if each.name.isdigit()))


def lose_segments(data: Path) -> None:
    """Remove all WAL."""
    for each in (data.parents[2] / "wals").rglob("0000*"):
        if each.is_file():
            each.unlink()


BARMAN_DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "file gone": (lambda data: (data / "global" / "1262").unlink(), "in the manifest but not on"),
    "bit": (lambda data: flip(data / "global" / "1262"), "checksum mismatch"),
    "tablespace gone": (lose_tablespace, "its tablespace ts1"),
    "data gone": (shutil.rmtree, "its folder data is missing"),
    "without manifest, cut": (cut_without_manifest, "and had"),
    "label gone": (lambda data: (data / "backup_label").unlink(), "it has no backup_label"),
    "segments gone": (lose_segments, "the archive lacks a WAL segment"),
}


@pytest.mark.parametrize("damage", BARMAN_DAMAGES)
def test_damaged_barman_backup_is_named(damage: str, made: Repositories, tmp_path: Path) -> None:
    """By its manifest, by what Barman has written down, by its archive."""
    server = tmp_path / "shop"
    shutil.copytree(made.barman.server, server, symlinks=True)
    (base,) = (server / "base").iterdir()
    act, words = BARMAN_DAMAGES[damage]
    act(base / "data")

    assert words in "\n".join(faults_of(server, tmp_path))

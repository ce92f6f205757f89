"""Plain base backups and cold copies come into the drill's own folder, and start there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault
from tests.helpers.copies import census, copied_to, run_directory, started
from tests.helpers.physical import Source, copied, source
from tests.helpers.recoveries import recovered


@pytest.fixture(scope="module")
def shop() -> Iterator[Source]:
    """Server with the plain backup `plain`, and the copy `cold` of its files when it was down."""
    with source(15, rows=200) as found:
        found.base_backup("plain")
        found.stop()
        copied(found.data, found.folder / "cold")
        found.start()
        yield found


@pytest.fixture
def run() -> Iterator[Path]:
    """A run directory."""
    with run_directory() as found:
        yield found


@pytest.fixture
def backup(shop: Source, tmp_path: Path) -> Path:
    """A copy of the backup `plain`, for a test to damage."""
    return copied(shop.folder / "plain", tmp_path / "backup")


def test_a_plain_backup_starts_from_its_copy(shop: Source, run: Path) -> None:
    """With its tablespace beside the data directory; nothing of the backup was touched."""
    plain, beside = shop.folder / "plain", shop.folder / "plain.ts1"
    before = census(plain, beside)
    found = copied_to(run, plain)
    assert found.had_label and not found.told
    (link,) = (run / "data/pg_tblspc").iterdir()
    assert link.readlink() == run / "tablespaces" / link.name
    with started(shop, run) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (500,)
    assert census(plain, beside) == before


def test_a_copy_is_the_same_byte_for_byte(shop: Source, run: Path) -> None:
    """And it belongs to the server alone."""
    plain, data = shop.folder / "plain", run / "data"
    copied_to(run, plain)
    apart = {"backup_manifest", "postgresql.auto.conf"}
    for path in plain.rglob("*"):
        name = str(path.relative_to(plain))
        copy = data / name
        if path.is_symlink() or name in apart:
            continue
        assert copy.is_dir() == path.is_dir()
        status = copy.lstat()
        assert status.st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
        assert status.st_uid == (shop.launcher.account or (os.geteuid(),))[0]
        assert path.is_dir() or copy.read_bytes() == path.read_bytes(), name


def test_a_cold_copy_starts_without_a_label(shop: Source, run: Path) -> None:
    """What lies in its tablespace was proved by nobody, which is told."""
    found = copied_to(run, shop.folder / "cold")
    assert not found.had_label
    (told,) = found.told
    assert re.fullmatch(r"tablespace \d+", told[0]) and "nothing proves" in told[1]
    with started(shop, run) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (500,)


def test_what_nobody_proves_of_a_copy_is_told_of_its_recovery(shop: Source) -> None:
    """A drill that passes says so."""
    with recovered(shop.folder / "cold") as found:
        assert not found.faults
        assert [what for what, _ in found.told if what.startswith("tablespace ")]


def test_pg_wal_behind_a_link_becomes_a_folder(shop: Source, backup: Path, run: Path) -> None:
    """As pg_basebackup --waldir leaves it."""
    (backup / "pg_wal").rename(backup.with_name("wal"))
    (backup / "pg_wal").symlink_to("../wal")
    copied_to(run, backup)
    assert not (run / "data/pg_wal").is_symlink()
    with started(shop, run) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (500,)


def test_the_live_tablespace_of_a_copied_directory_is_not_taken(shop: Source, run: Path) -> None:
    """A copy of the data directory alone: its link leads to the running server's tablespace."""
    (run / "deep").mkdir()
    cold = copied(shop.folder / "cold", run / "deep/cold")
    for link in (cold / "pg_tblspc").iterdir():
        link.unlink()
        link.symlink_to(shop.tablespace)
    with pytest.raises(BackupFault, match=r"tablespace \d+ is not in the backup: its link leads"):
        copied_to(run, cold)
    assert list((run / "data").iterdir()) == []


@pytest.mark.parametrize("to", ["/nowhere", "empty", "file"])
def test_a_tablespace_that_is_not_there_is_named(to: str, backup: Path, run: Path) -> None:
    """Gone, another folder, or no folder at all."""
    (backup.parent / "empty").mkdir()
    (backup.parent / "file").touch()
    (link,) = (backup / "pg_tblspc").iterdir()
    link.unlink()
    link.symlink_to(to if to == "/nowhere" else f"../../{to}")
    with pytest.raises(BackupFault, match=r"lacks tablespace|is no tablespace of PostgreSQL 15"):
        copied_to(run, backup)
    assert list((run / "data").iterdir()) == []
    assert not (run / "tablespaces").exists()


@pytest.mark.parametrize("name", ["pg_xact", "base/1", "global/pg_control", "base/1/1259"])
def test_a_link_out_of_the_backup_is_refused(name: str, backup: Path, run: Path) -> None:
    """Of what a server needs nothing is taken from elsewhere."""
    moved = backup.parent / "moved"
    (backup / name).rename(moved)
    (backup / name).symlink_to(moved)
    with pytest.raises(BackupFault, match=rf"{name} is not in the backup"):
        copied_to(run, backup)
    assert list((run / "data").iterdir()) == []


def test_a_link_within_the_backup_becomes_what_it_stands_for(
    shop: Source, backup: Path, run: Path
) -> None:
    """A file, and a folder."""
    (backup / "pg_xact").rename(backup / "moved")
    (backup / "pg_xact").symlink_to("moved")
    (backup / "base/1/1259").rename(backup / "1259")
    (backup / "base/1/1259").symlink_to("../../1259")
    copied_to(run, backup)
    assert not (run / "data/pg_xact").is_symlink()
    with started(shop, run) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (500,)


def test_links_to_configuration_are_left_out_and_told(backup: Path, run: Path) -> None:
    """The drill's server reads none of it."""
    (backup / "server.key").symlink_to("/etc/ssl/private/server.key")
    (backup / "pg_hba.conf").unlink()
    (backup / "pg_hba.conf").symlink_to("/etc/hostname")
    told = dict(copied_to(run, backup).told)
    assert set(told) == {str(backup / "server.key"), str(backup / "pg_hba.conf")}
    assert "which is not part of the backup" in told[str(backup / "server.key")]
    assert not os.path.lexists(run / "data/pg_hba.conf")


def test_links_round_in_a_circle_are_refused(backup: Path, run: Path) -> None:
    """Whatever they lead to, the copy ends."""
    (backup / "base/1/again").symlink_to("..")
    with pytest.raises(BackupFault, match="cannot be copied"):
        copied_to(run, backup)


def test_what_is_no_file_is_refused_where_a_server_needs_one(backup: Path, run: Path) -> None:
    """A pipe would be read for ever; a socket at the top is of no use."""
    os.mkfifo(backup / ".s.PGSQL.5432")
    os.mkfifo(backup / "base/1/99999")
    with pytest.raises(BackupFault, match="base/1/99999 is no plain file"):
        copied_to(run, backup)
    (backup / "base/1/99999").unlink()
    (run / "data").rmdir()
    copied_to(run, backup)
    assert not os.path.lexists(run / "data/.s.PGSQL.5432")

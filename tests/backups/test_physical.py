"""Physical backups: each folder and file of a repository is named for what it belongs to."""

from __future__ import annotations

import gzip
from datetime import UTC
from pathlib import Path

import pytest

from restore_drill.backups.formats import PHYSICAL, recognise
from restore_drill.backups.physical.model import BARMAN, KINDS, PGBACKREST
from restore_drill.selection.candidate import look_at
from restore_drill.selection.named import in_its_place
from tests.helpers.drills import run_drill

SET = "repo/backup/main/20261101-101500F"
LATER = f"{SET}_20261102-101500I"
BARMAN_SET = "barman/shop/base/20261101T101500"
SEGMENT = (b"\x10\xd1\x02\0\1\0\0\0" + bytes(24)) + b"\0\0\0\1" + b"\0\x20\0\0" + bytes(100)
BACKUP_INFO = b"backup_label='START WAL LOCATION: 0/2000028'\nbegin_wal=000000010000000000000002\n"
FILES = {
    "repo/backup/main/backup.info": b'[backrest]\nbackrest-version="2.45"\n',
    "repo/archive/main/archive.info": b'[backrest]\nbackrest-version="2.45"\n',
    "repo/archive/main/15-1/0000000100000000/000000010000000000000002-0a1b.gz": SEGMENT,
    f"{SET}/backup.manifest": b'[backrest]\nbackrest-version="2.45"\n',
    f"{SET}/pg_data/PG_VERSION.gz": gzip.compress(b"15\n"),
    f"{SET}/pg_data/backup_label.gz": gzip.compress(b"START WAL LOCATION: 0/2000028\n"),
    f"{SET}/pg_data/global/pg_control.gz": gzip.compress(bytes(64)),
    f"{SET}/pg_data/global/6100.gz": gzip.compress(b""),
    f"{LATER}/backup.manifest": b'[backrest]\nbackrest-version="2.45"\n',
    f"{LATER}/bundle/1": bytes(64),
    f"{BARMAN_SET}/backup.info": BACKUP_INFO,
    f"{BARMAN_SET}/data/PG_VERSION": b"15\n",
    f"{BARMAN_SET}/data/backup_label": b"START WAL LOCATION: 0/2000028\n",
    f"{BARMAN_SET}/data/global/1262": b"\xff\xfe\xfd",
    "barman/shop/wals/0000000100000000/000000010000000000000002": SEGMENT,
    "base/backup_manifest": b'{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": [\n',
}
PLACES = {
    "repo": PGBACKREST,
    "repo/backup": PGBACKREST,
    "repo/backup/main": PGBACKREST,
    "repo/backup/main/backup.info": "a pgBackRest repository",
    "repo/archive/main": PGBACKREST,
    "repo/archive/main/15-1": PGBACKREST,
    SET: PGBACKREST,
    f"{SET}/backup.manifest": "a pgBackRest backup set",
    f"{SET}/pg_data": PGBACKREST,
    f"{SET}/pg_data/PG_VERSION.gz": "a part of a pgBackRest backup set",
    f"{SET}/pg_data/backup_label.gz": "a part of a pgBackRest backup set",
    f"{SET}/pg_data/global": "a part of a pgBackRest backup set",
    LATER: PGBACKREST,
    f"{LATER}/bundle": PGBACKREST,
    f"{LATER}/bundle/1": "a part of a pgBackRest backup set",
    "barman": BARMAN,
    "barman/shop": BARMAN,
    "barman/shop/base": BARMAN,
    BARMAN_SET: BARMAN,
    f"{BARMAN_SET}/backup.info": "a Barman backup set",
    f"{BARMAN_SET}/data": BARMAN,
    f"{BARMAN_SET}/data/global/1262": "a part of a physical base backup",
    "barman/shop/wals": BARMAN,
    "base/backup_manifest": "a file of a physical base backup",
}


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Folder with repositories of the layout that pgBackRest 2.45 and Barman 3.4 wrote."""
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_each_part_of_a_repository_is_named(places: Path) -> None:
    """A folder as the backup that it is or belongs to; a file of one with a remedy, as no dump."""
    for name, what in PLACES.items():
        path = places / name
        kind = recognise(path) if path.is_dir() else in_its_place(look_at(path, UTC)).kind
        if what in (PGBACKREST, BARMAN):
            assert kind.format == what, name
        else:
            assert what in kind.unrecognised, name
            assert any("--backup FOLDER" in step for step in kind.remedy), name


@pytest.mark.parametrize("name", [f"{SET}/pg_data/global", f"{BARMAN_SET}/data/global"])
def test_part_of_a_backup_is_named_in_one_message(
    name: str, places: Path, report_dir: Path
) -> None:
    """By BACKUP_PATH and by --backup: what it is and what to do, and no list of its files."""
    by_path = run_drill("-m", "select", report_dir=report_dir, BACKUP_PATH=str(places / name))
    assert by_path.code == 1, by_path.output
    message = by_path.failed["test_backup_exists"]
    assert "it is a part of" in message
    assert len(message.splitlines()) == 4 and ".gz" not in message

    by_option = run_drill(f"--backup={places / name}", "-m", "select", report_dir=report_dir)
    assert by_option.code == 1, by_option.output
    assert "a part of" in by_option.failed["test_backup_is_complete"]


def test_dumps_beside_physical_backups_are_drilled(places: Path) -> None:
    """A folder of dumps is none of a repository's parts, though it lies beside them."""
    for name in ("repo/dumps", "barman/shop/dumps", "20261101.sql"):
        (places / name).mkdir()
        assert recognise(places / name).unrecognised.startswith("a directory without toc.dat")


def test_each_kind_is_a_format() -> None:
    """What a list calls physical is what there is."""
    assert PHYSICAL == KINDS

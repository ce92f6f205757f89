"""Damaged backups turn the drill red, each with the words that name its damage."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump
from tests.helpers.shop_drills import DrillFile


@pytest.mark.parametrize("major", sorted({USUAL, 18}))
def test_cut_custom_archive_is_red(
    major: int, shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """A truncated custom archive, which `pg_restore --list` passes, is red."""
    whole = shops.dump(major, "custom.dump").read_bytes()
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.dump"
    path.write_bytes(whole[:-600])

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert "pg_restore cannot read it" in drill.failed["test_backup_is_complete"]


def test_flipped_byte_in_archive_is_red(
    shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """A flipped byte in the compressed data of an archive is red."""
    whole = bytearray(shops.dump(USUAL, "custom.dump").read_bytes())
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.dump"
    whole[-900] ^= 0xFF
    path.write_bytes(whole)

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert drill.failed


def test_cut_tar_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A truncated tar archive, on which pg_restore can hang, is red."""
    whole = shops.dump(USUAL, "archive.tar").read_bytes()
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.tar"
    path.write_bytes(whole[: len(whole) // 2])

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert "tar file" in drill.failed["test_backup_is_complete"]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_directory_without_a_member_is_red(
    damage: str, shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """A directory archive that lacks a file, or has an empty or cut one, is red."""
    (tmp_path / "db").mkdir()
    path = Path(shutil.copytree(shops.dump(USUAL, "directory"), tmp_path / "db" / "backup_dir"))
    member = max(path.glob("*.dat.gz"), key=lambda file: file.stat().st_size)
    if damage == "missing":
        member.unlink()
    else:
        member.write_bytes(member.read_bytes()[:40] if damage == "cut" else b"")

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert member.name.split(".")[0] in drill.failed["test_backup_is_complete"] or damage == "cut"


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_broken_gzip_is_red(
    damage: str, shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """A gzip file that is cut, or whose checksum is wrong, is red."""
    packed = bytearray(gzip.compress(shops.dump(USUAL, "plain.sql").read_bytes()))
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.sql.gz"
    if damage == "flipped":
        packed[-6] ^= 0xFF
    path.write_bytes(packed if damage == "flipped" else packed[: len(packed) // 2])

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert "gzip compression cannot be read to the end" in drill.failed["test_backup_is_complete"]


def test_wrong_checksum_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A backup that does not match its .sha256 file is red."""
    (tmp_path / "db").mkdir()
    path = Path(shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / "db" / "backup.sql"))
    path.with_name("backup.sql.sha256").write_text("0" * 64 + "  backup.sql\n")

    drill = drill_file(path)

    assert drill.code == 1
    assert "does not match its .sha256 file" in drill.failed["test_backup_matches_its_checksum"]


def test_stale_backup_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A backup older than the RPO budget is red, by the time in its name."""
    (tmp_path / "db").mkdir()
    path = Path(
        shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / "db" / "backup_20231201_050001.sql")
    )

    drill = drill_file(path, "-m", "select")

    assert drill.code == 1
    message = drill.failed["test_backup_is_young_enough"]
    assert "2023-12-01 05:00:01 UTC (from its name)" in message
    assert "the limit is 1 d 2 h" in message


def test_backup_from_the_future_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A time in the future lies."""
    (tmp_path / "db").mkdir()
    path = Path(
        shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / "db" / "backup_20990101.sql")
    )

    drill = drill_file(path, "-m", "select")

    assert drill.code == 1
    assert "in the future" in drill.failed["test_backup_is_young_enough"]


def test_shrunken_backup_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A backup much smaller than those before it is red."""
    whole = shops.dump(USUAL, "plain.sql").read_bytes()
    (tmp_path / "db").mkdir()
    for day in (1, 2, 3):
        (tmp_path / "db" / f"backup_2023120{day}.sql").write_bytes(whole + b"\n" * 40_000)
    path = tmp_path / "db" / "backup_20231204.sql"
    path.write_bytes(whole)

    drill = drill_file(path, "-m", "select")

    assert "median of 3" in drill.failed["test_backup_did_not_shrink"]


def test_directory_without_backups_is_red(tmp_path: Path, drill_file: DrillFile) -> None:
    """A backup directory in which no finished backup lies is red, and says what lies there."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "backup.sql.part").write_text("--")
    (tmp_path / "db" / "zero.sql").write_text("")

    drill = drill_file(tmp_path / "db" / "none")

    assert drill.code == 1, drill.output
    message = drill.failed["test_backup_exists"]
    assert "no backups found" in message
    assert "backup.sql.part: still being written, judging by its name" in message
    assert "zero.sql: zero bytes" in message


def test_error_page_in_place_of_a_backup_is_red(tmp_path: Path, drill_file: DrillFile) -> None:
    """An HTML page named .sql is not passed over: it is the newest backup, and none."""
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.sql"
    path.write_text("<!DOCTYPE html><html><body>503</body></html>")

    drill = drill_file(path)

    assert drill.code == 1
    assert "an HTML or XML page" in drill.failed["test_backup_is_complete"]


def test_orphans_in_the_source_are_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """Orphans under a NOT VALID key restore without an error, and the rows show it."""
    source = shops.database(USUAL, "orphans")
    fill_shop(
        source,
        "CREATE TABLE artists (id int PRIMARY KEY); CREATE TABLE cards (id int, artist_id int);"
        "CREATE TABLE purchases (id int); INSERT INTO cards VALUES (1, 7), (2, NULL);"
        "ALTER TABLE cards ADD CONSTRAINT cards_artist_fkey FOREIGN KEY (artist_id)"
        " REFERENCES artists (id) NOT VALID",
    )
    (tmp_path / "db").mkdir()
    path = pg_dump(source, tmp_path / "db" / "backup.dump", "--format=custom")

    drill = drill_file(path)

    assert drill.code == 1
    assert "test_restore_has_no_errors" not in drill.failed
    message = drill.failed["test_foreign_keys_hold[public.cards]"]
    assert "artist_id -> public.artists (cards_artist_fkey): 1 orphan row" in message
    assert "test_constraints_are_validated" not in drill.failed


def test_schema_only_dump_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A dump without data is red."""
    (tmp_path / "db").mkdir()
    path = pg_dump(shops.source(USUAL), tmp_path / "db" / "backup.sql", "--schema-only")

    drill = drill_file(path)

    assert drill.code == 1
    assert "test_database_has_rows" in drill.failed

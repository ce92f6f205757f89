"""Rows that are decompressed beside pg_restore: the same bytes, the same verdicts, at any size."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from restore_drill.backups import members
from restore_drill.backups.archive import header_of, reading_tools
from restore_drill.backups.members import Spliced, convert, members_of
from restore_drill.backups.model import Contents
from restore_drill.backups.read import read_contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.restore.plain import restore_plain
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, majors, quiet

Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "cut": lambda data: data[:-40],
    "half": lambda data: data[: len(data) // 2],
    "flipped": lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:],
    "sum": lambda data: data[:-8] + bytes([data[-8] ^ 1]) + data[-7:],
}
NOT_NOTICED: dict[str, Damage] = {
    "junk behind it": lambda data: data + b"junk" * 9,
    "no header": lambda data: data[10:],
}
"""What zlib passes over, or takes for rows: a restore may show it."""


@pytest.fixture
def all_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files of rows go beside pg_restore, too."""
    monkeypatch.setattr(members, "LARGE", 0)
    monkeypatch.setattr(members, "WORTH", 0)


def sql_of(path: Path, *, apart: bool, size: int = 1 << 20) -> bytes:
    """The archive at `path` as SQL, read `size` bytes at a time, but for its own random words."""
    header = header_of(path, "directory")
    found = b""
    with convert(header, path, tools=reading_tools(header), apart=apart) as run:
        while data := run.output.read(size):
            found += data
    assert not run.fault
    lines = found.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict")))


@pytest.mark.usefixtures("all_apart")
@pytest.mark.parametrize("major", majors(USUAL, 18))
def test_sql_is_the_same_to_the_byte(major: int, shops: Shops) -> None:
    """Whatever the size of what is read: marks are found where they are cut, too."""
    path = shops.dump(major, "directory")
    wanted = sql_of(path, apart=False)
    assert len(members_of(path)) >= 3
    for size in (7, 61, 1 << 20, -1):
        assert sql_of(path, apart=True, size=size) == wanted


def test_small_archive_is_left_to_pg_restore(shops: Shops) -> None:
    """A folder of marks would cost more than it saves."""
    assert not members_of(shops.dump(USUAL, "directory"))


def read_damaged(shops: Shops, folder: Path, damage: Damage) -> Contents:
    """Contents of the shop's directory with `damage` done to its largest file of rows."""
    path = folder / "backup_dir"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(shops.dump(USUAL, "directory"), path)
    member = max(path.glob("*.dat.gz"), key=lambda file: file.stat().st_size)
    member.write_bytes(damage(member.read_bytes()))
    return read_contents(backup_of(path), folder, quiet)


@pytest.mark.parametrize("name", [*DAMAGES, *NOT_NOTICED])
def test_verdict_is_that_of_pg_restore(
    name: str, shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be decompressed here is judged as if it had not been tried."""
    damage = (DAMAGES | NOT_NOTICED)[name]
    wanted = read_damaged(shops, tmp_path, damage)
    monkeypatch.setattr(members, "LARGE", 0)
    monkeypatch.setattr(members, "WORTH", 0)
    found = read_damaged(shops, tmp_path, damage)
    assert (found.faults, found.rows) == (wanted.faults, wanted.rows)
    assert bool(found.faults) == (name in DAMAGES)
    assert not found.is_apart


@pytest.mark.usefixtures("all_apart")
def test_rows_that_were_damaged_since_are_told(shops: Shops, tmp_path: Path) -> None:
    """A file that could be read and no longer can is no restore that went well."""
    path = Path(shutil.copytree(shops.dump(USUAL, "directory"), tmp_path / "backup_dir"))
    backup = backup_of(path)
    contents = read_contents(backup, tmp_path, quiet)
    assert contents.is_complete and contents.is_apart
    member = max(path.glob("*.dat.gz"), key=lambda file: file.stat().st_size)
    member.write_bytes(member.read_bytes()[:-40])
    with pytest.raises(CouldNotRun, match="could be read a moment ago"):
        restore_plain(new_database(shops, USUAL, None, "UTF8"), backup, contents, quiet)


def test_mark_that_is_cut_off_ends_the_stream(tmp_path: Path) -> None:
    """pg_restore may be killed within one."""
    spliced = Spliced(BytesIO(b"SELECT 1;\ntoken25"), b"token", tmp_path)
    assert b"".join(iter(lambda: spliced.read(5), b"")) == b"SELECT 1;\ntoken25"

"""Damages to a copy of the backup itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from restore_drill.backups.model import Backup

PAGE = b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>\n"


@dataclass(frozen=True)
class FileDamage:
    """One kind of damage; `do` gives the damaged copy of a backup, made in a folder."""

    name: str
    what: str
    do: Callable[[Backup, Path], Backup]
    needs_manifest: bool = False


def copy_of(backup: Backup, folder: Path) -> Backup:
    """A copy of `backup` in `folder`, without its companions."""
    path = folder / backup.path.name
    if backup.path.is_dir():
        shutil.copytree(backup.path, path)
    else:
        shutil.copyfile(backup.path, path)
    return replace(backup, path=path, unpacked=None)


def data_file(path: Path) -> Path:
    """The file that holds data: of a directory archive its largest member."""
    if not path.is_dir():
        return path
    members = [file for file in path.iterdir() if file.name != "toc.dat"]
    return max(members, key=lambda file: file.stat().st_size, default=path / "toc.dat")


def with_data(backup: Backup, folder: Path, change: Callable[[bytes], bytes]) -> Backup:
    """Copy of `backup` whose data file went through `change`."""
    copied = copy_of(backup, folder)
    file = data_file(copied.path)
    file.write_bytes(change(file.read_bytes()))
    size = sum(f.stat().st_size for f in copied.path.rglob("*")) if copied.path.is_dir() else None
    return replace(copied, size=file.stat().st_size if size is None else size)


def flip(data: bytes) -> bytes:
    """Flip one byte in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def truncated(backup: Backup, folder: Path) -> Backup:
    """The file ends in its middle."""
    return with_data(backup, folder, lambda data: data[: len(data) // 2])


def end_cut(backup: Backup, folder: Path) -> Backup:
    """The last hundred bytes are missing."""
    return with_data(backup, folder, lambda data: data[:-100])


def emptied(backup: Backup, folder: Path) -> Backup:
    """The file has zero bytes."""
    return with_data(backup, folder, lambda _data: b"")


def flipped(backup: Backup, folder: Path) -> Backup:
    """One byte in the middle is another."""
    return with_data(backup, folder, flip)


def stale(backup: Backup, folder: Path) -> Backup:
    """The backup is ten years old."""
    copied = copy_of(backup, folder)
    return replace(copied, taken_at=backup.taken_at - timedelta(days=3653))


FILE_DAMAGES = (
    FileDamage("truncated_file", "the file is cut in the middle", truncated),
    FileDamage("cut_end", "the last bytes of the file are missing", end_cut),
    FileDamage("empty_file", "the file is empty", emptied),
    FileDamage("flipped_byte", "one byte in the file is another", flipped, needs_manifest=True),
    FileDamage("stale_backup", "the backup is years old", stale),
)

"""Damages to a copy of the backup itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from restore_drill.backups.model import Backup
from restore_drill.damages.model import COMPLETE, MANIFEST, YOUNG, FileDamage

Edit = Callable[[bytes], bytes]
"""Takes the bytes of a file, and gives those that are left of them."""


def cut_at(share: float) -> Edit:
    """Keep the first `share` of all bytes."""
    return lambda data: data[: int(len(data) * share)]


def flip(share: float, bits: int = 0x01) -> Edit:
    """Change `bits` of the byte at `share`."""

    def edit(data: bytes) -> bytes:
        place = int(len(data) * share)
        return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]

    return edit


def without_end(data: bytes) -> bytes:
    """Lose the last hundred bytes and the zeros behind them: a tar ends in a kilobyte of those."""
    return data.rstrip(b"\0")[:-100]


def empty(_data: bytes) -> bytes:
    """Lose all bytes."""
    return b""


def data_file(path: Path) -> Path:
    """The file that holds data: of a directory archive its largest member."""
    if not path.is_dir():
        return path
    members = [file for file in path.iterdir() if file.name != "toc.dat"]
    return max(members, key=lambda file: file.stat().st_size, default=path / "toc.dat")


def change_data(path: Path, edit: Edit) -> None:
    """Send the data file of the backup at `path` through `edit`."""
    file = data_file(path)
    file.write_bytes(edit(file.read_bytes()))


def copy_of(backup: Backup, folder: Path) -> Backup:
    """A copy of `backup` in `folder`, without its companions."""
    path = folder / backup.path.name
    (shutil.copytree if backup.path.is_dir() else shutil.copyfile)(backup.path, path)
    return replace(backup, path=path, unpacked=None, mark=())


def edited(edit: Edit) -> Callable[[Backup, Path], Backup]:
    """Function that makes a copy of a backup whose data file went through `edit`."""

    def do(backup: Backup, folder: Path) -> Backup:
        copied = copy_of(backup, folder)
        change_data(copied.path, edit)
        files = copied.path.rglob("*") if copied.path.is_dir() else [copied.path]
        return replace(copied, size=sum(file.stat().st_size for file in files))

    return do


def stale(backup: Backup, folder: Path) -> Backup:
    """The backup is ten years old."""
    copied = copy_of(backup, folder)
    return replace(copied, taken_at=backup.taken_at - timedelta(days=3653))


TRUNCATED = FileDamage(
    "truncated_file", "the file is truncated in the middle", COMPLETE, edited(cut_at(0.5))
)
END_CUT = FileDamage(
    "cut_end", "the last bytes of the file are missing", COMPLETE, edited(without_end)
)
EMPTY = FileDamage("empty_file", "the file is empty", COMPLETE, edited(empty))
FLIPPED = FileDamage(
    "flipped_byte", "one byte in the file has changed", MANIFEST, edited(flip(0.5, 0xFF))
)
STALE = FileDamage("stale_backup", "the backup is years old", YOUNG, stale)
FILE_DAMAGES = (TRUNCATED, END_CUT, EMPTY, FLIPPED, STALE)

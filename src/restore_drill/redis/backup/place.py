"""A backup of Redis is laid out for a server: behind its layers, in a folder of the drill."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from typing import IO

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.model import Backup
from restore_drill.backups.streams import READ_ERRORS, open_plain
from restore_drill.backups.written import OWNER_ALONE, write_all
from restore_drill.core.errors import BackupFault
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.header import HEAD_BYTES
from restore_drill.redis.backup.kinds import AOF, FOLDER, MANIFEST, PART, is_manifest
from restore_drill.redis.backup.model import Placed

RDB_NAME, AOF_NAME = "dump.rdb", "appendonly.aof"
PIECE = 1 << 20


def place(backup: Backup, folder: Path) -> Placed:
    """`backup` laid out in the new `folder`; BackupFault where its layers are damaged.

    An RDB file that lies here is linked: nothing writes to it. Append-only files are copied, since
    a server that reads them writes on.
    """
    folder.mkdir(mode=0o700)
    try:
        if backup.path.is_dir():
            return placed_folder(backup.path, folder)
        if backup.compression.startswith("tar"):
            from restore_drill.redis.backup.unpack import unpacked  # noqa: PLC0415 - rarely needed

            return unpacked(backup, folder)
        if backup.format == AOF:
            copy(backup, folder / AOF_NAME)
            return Placed(folder, aof=folder / AOF_NAME)
        path = folder / RDB_NAME
        if backup.compression or backup.path in arrivals:
            copy(backup, path)
        else:
            path.symlink_to(backup.path.resolve())
        return Placed(folder, rdb=path)
    except READ_ERRORS as error:
        raise damaged(backup, error) from None


def damaged(backup: Backup, error: BaseException) -> BackupFault:
    """The layers around `backup` are damaged, or cut."""
    why = f"{backup.compression or backup.format}, {type(error).__name__}"
    return BackupFault(
        f"{backup.name} cannot be read to its end: it is damaged or cut short",
        checked=[f"{as_written(backup.path)} ({why})"],
        remedy=remedy_for("test_redis_backup_is_intact", "damaged"),
        reported_by="test_redis_backup_is_intact",
    )


def copy(backup: Backup, path: Path) -> None:
    """Write what lies behind the layers of `backup` to `path`."""
    with open_plain(backup.path, backup.compression) as packed:
        pour(packed, path, path.parent)


def pour(source: IO[bytes], path: Path, folder: Path, start: bytes = b"") -> None:
    """Write `start` and all of `source` to a new file, for its owner alone.

    A full disk is that of `folder`.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ALONE)
    with FileIO(descriptor, "w") as file:
        write_all(file, start, folder)
        while piece := source.read(PIECE):
            write_all(file, piece, folder)


def placed_folder(source: Path, folder: Path) -> Placed:
    """The append-only files in the folder `source`, copied."""
    inside = folder / FOLDER
    inside.mkdir(mode=0o700)
    for each in sorted(source.iterdir()):
        is_part = PART.fullmatch(each.name) is not None
        if not is_part and not (each.name.endswith(MANIFEST) and each.is_file()):
            continue
        with each.open("rb") as source_file:
            start = source_file.read(HEAD_BYTES)
            if is_part or is_manifest(each.name, start):
                pour(source_file, inside / each.name, folder, start)
    return Placed(folder, aof=manifest_in(inside))


def manifest_in(folder: Path) -> Path:
    """The manifest in `folder`; where there is none, the path that it would have."""
    found = sorted(
        folder.glob(f"*{MANIFEST}"), key=lambda path: (not PART.fullmatch(path.name), path)
    )
    return found[0] if found else folder / f"{AOF_NAME}{MANIFEST}"

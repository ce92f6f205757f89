"""An archive that lies in a compressed file is unpacked, since pg_restore wants to seek."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from io import FileIO
from pathlib import Path

from restore_drill.backups.model import Backup
from restore_drill.backups.streams import open_plain, outside_tar
from restore_drill.backups.written import OWNER_ALONE, write_all


def unpack_archive(backup: Backup, folder: Path) -> Backup:
    """`backup` with its archive unpacked into `folder`, where it lies in a compressed file."""
    if not (backup.is_archive and backup.compression) or backup.unpacked:
        return backup
    path = folder / f"unpacked.{backup.format}"
    if backup.format == "directory":
        return replace(backup, unpacked=unpack_folder(backup, path))
    handle = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, OWNER_ALONE)
    with open_plain(backup.path, backup.compression) as packed, FileIO(handle, "w") as file:
        while chunk := packed.read(1 << 20):
            write_all(file, chunk, folder)
    return replace(backup, unpacked=path)


def unpack_folder(backup: Backup, path: Path) -> Path:
    """Unpack the folder of a directory-format dump from its tar archive into the folder `path`."""
    from restore_drill.backups.wraps.tarred import unpack_directory  # noqa: PLC0415 - rarely needed

    shutil.rmtree(path, ignore_errors=True)
    with open_plain(backup.path, outside_tar(backup.compression)) as packed:
        unpack_directory(packed, path)
        while packed.read(1 << 20):  # to its end, where an encryption is checked
            pass
    return path

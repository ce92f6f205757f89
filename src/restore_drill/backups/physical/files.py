"""The files of a data directory, whatever it holds: first bytes, names of WAL, bytes of all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from restore_drill.backups.physical.wal_names import SEGMENT
from restore_drill.core.below import files_below

WAL_DIR, LINKS = "pg_wal", "pg_tblspc"


def head_of(path: Path, most: int) -> bytes:
    """The first `most` bytes of the file at `path`; none where there is none, or no file."""
    if not path.is_file():  # a pipe would be waited for
        return b""
    with suppress(FileNotFoundError), path.open("rb") as file:
        return file.read(most)
    return b""


def modified_at(path: Path) -> float | None:
    """When the file at `path` was written, None where there is none."""
    with suppress(OSError):
        return path.stat().st_mtime
    return None


def segments_in(folder: Path) -> list[str]:
    """Names of the WAL segments in `folder`, sorted."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(each.name for each in folder.iterdir() if SEGMENT.fullmatch(each.name))
    return []


def sizes(path: Path) -> tuple[int, int]:
    """Bytes of the files at `path` and in its tablespaces, and those of the WAL, apart.

    What a link leads to may hold other things, and be no tablespace at all. Files that cannot be
    seen are for whoever reads them.
    """
    whole = wal = 0
    with suppress(OSError):
        links = [Path(each.path) for each in folders_in(path / LINKS) if each.is_symlink()]
        spaces = [Path(each.path) for link in links for each in folders_in(link, "PG_")]
        files = [each for folder in (path, *spaces) for each in files_below(folder)]
        whole = sum(status.st_size for name, status in files if not name.startswith(f"{WAL_DIR}/"))
        wal = sum((path / WAL_DIR / each).stat().st_size for each in segments_in(path / WAL_DIR))
    return whole, wal


def folders_in(path: Path, begin: str = "") -> list[os.DirEntry[str]]:
    """The folders in `path` whose names `begin` so, and the links to folders."""
    with suppress(OSError), os.scandir(path) as entries:
        return [each for each in entries if each.name.startswith(begin) and each.is_dir()]
    return []

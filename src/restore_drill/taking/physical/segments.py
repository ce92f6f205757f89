"""Puts the WAL that was received behind a base backup into it: where its own WAL lies."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

PLAIN, PACKED = "pg_wal.tar", "pg_wal.tar.gz"
BLOCK = tarfile.BLOCKSIZE


def add_segments(backup: Path, segments: Sequence[Path]) -> None:
    """Add `segments` to the WAL in `backup`, in place of what it has of them; OSError."""
    if (backup / PLAIN).exists():
        with (backup / PLAIN).open("r+b") as file:
            add_to_tar(file, segments)
    elif (backup / PACKED).exists():
        repack(backup / PACKED, segments)
    else:
        for each in segments:
            part = backup / f"{each.name}.part"
            shutil.copyfile(each, part)
            part.rename(backup / "pg_wal" / each.name)  # it may be being verified


def repack(packed: Path, segments: Sequence[Path]) -> None:
    """The same for a compressed tar, which is written anew."""
    part = packed.with_suffix(".part")
    with part.open("x+b") as file:
        with gzip.open(packed, "rb") as old:
            shutil.copyfileobj(old, file)
        add_to_tar(file, segments)
        file.seek(0)
        with gzip.open(packed, "wb", compresslevel=1) as new:
            shutil.copyfileobj(file, new)
    part.unlink()


def add_to_tar(file: IO[bytes], segments: Sequence[Path]) -> None:
    """Cut the tar in `file` before the first of `segments`, where it has that, and add them all."""
    names = {each.name for each in segments}
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as old:
        members = old.getmembers()
    ends = (each.offset_data + -(-each.size // BLOCK) * BLOCK for each in members)
    end = min((each.offset for each in members if each.name in names), default=max(ends, default=0))
    file.truncate(end)
    file.seek(end)
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.USTAR_FORMAT) as new:
        for each in segments:
            new.add(each, each.name, recursive=False, filter=as_of_server)


def as_of_server(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """`member` as pg_basebackup describes it."""
    member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
    return member

"""What a tar archive is that pg_dump has not written, by its first members."""

from __future__ import annotations

import re
import tarfile
import time
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from restore_drill.backups.foreign import WAL, WAL_NAME, Foreign

MOST_MEMBERS = 200
LONGEST_LOOK = 2.0
"""Seconds: no longer is read through what is large before a member that decides."""
MEMBER = re.compile(r"(toc\.dat|blobs(_\d+)?\.toc|(blob_)?\d+\.dat(\.(gz|lz4|zst))?)$")
DUMPS = (".sql", ".dump", ".pgdump", ".backup", ".custom", ".gz", ".zst", ".lz4", ".xz", ".bz2")


def first_names(stream: IO[bytes]) -> Iterator[str]:
    """Names of the first members of the tar in `stream`; where it is cut they just end."""
    until = time.monotonic() + LONGEST_LOOK
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for _ in range(MOST_MEMBERS):
                member = tar.next()
                if member is None:
                    return
                yield member.name.removeprefix("./") + ("/" if member.isdir() else "")
                if time.monotonic() > until:
                    return
    except tarfile.TarError:
        return


def is_tar(head: bytes) -> bool:
    """Whether a file whose first bytes are `head` is a tar."""
    return head[257:262] == b"ustar"


def is_dump(stream: IO[bytes]) -> bool:
    """Whether the tar in `stream` is pg_dump's own: its first member is the table of contents."""
    return next(first_names(stream), "") == "toc.dat"


def tar_of_what(stream: IO[bytes]) -> Foreign:
    """What the tar in `stream` is that is none of pg_dump's own."""
    names: list[str] = []
    for name in first_names(stream):
        names.append(name)
        if found := by_member(name):
            return found
    dumps = [name for name in names if name.lower().endswith(DUMPS)]
    if dumps:
        return Foreign(
            f"a tar archive that contains {dumps[0]}" + (" and more" if dumps[1:] else ""),
            "tar_around",
            dumps[0],
        )
    return Foreign("a tar file that does not begin with pg_dump's toc.dat", "tar_other")


def by_member(name: str) -> Foreign | None:
    """What a tar is by the `name` of one member, None where it could be anything."""
    parts = PurePosixPath(name).parts
    base = parts[-1] if parts else ""
    if MEMBER.match(base):
        folder = "/".join(("FOLDER", *parts[:-1]))
        return Foreign("a directory-format dump packed into a tar", "tar_directory", folder)
    if WAL_NAME.fullmatch(base):
        return WAL
    if base in ("PG_VERSION", "backup_label", "tablespace_map", "pg_wal", "pg_control"):
        return Foreign(
            "a data directory of PostgreSQL in a tar (pg_basebackup, or a copy of the files)",
            "physical",
        )
    return None

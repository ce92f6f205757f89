"""Reads pg_dump's archives (custom, directory, tar): their header, and what they should hold."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO

from restore_drill.backups.model import Head
from restore_drill.backups.streams import open_plain, outside_tar
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.find import Obtain, find_binaries

ARCHIVE = b"PGDMP"
COMPRESSIONS = {0: "", 1: "gzip", 2: "lz4", 3: "zstd"}
NEWEST_VERSION = (1, 16)
"""Archive version of pg_dump 17 and 18, the newest that pg_restore 18 reads."""

READS = {14: (1, 14), 15: (1, 14), 16: (1, 15), 17: (1, 16), 18: (1, 16)}
"""Newest archive version that pg_restore of a major version reads."""


@dataclass(frozen=True)
class Header:
    """Fixed part of an archive (pg_backup_archiver.c, ReadHead)."""

    version: tuple[int, int]
    compression: str
    head: Head


def read_header(raw: IO[bytes]) -> Header:
    """Header of the archive in `raw`; ValueError where it is none, or is cut or damaged."""
    if raw.read(5) != ARCHIVE:
        raise ValueError("no archive header")
    major, minor, _revision, int_size, _offset_size, _format = take(raw, 6)

    def integer() -> int:
        sign = take(raw, 1)[0]
        value = int.from_bytes(take(raw, int_size), "little")
        return -value if sign else value

    def text() -> str:
        length = integer()
        return take(raw, length).decode("utf-8", "replace") if 0 < length < 10_000 else ""

    if (major, minor) >= (1, 15):
        compression = COMPRESSIONS.get(take(raw, 1)[0], "unknown")
    else:
        compression = "gzip" if integer() else ""
    second, minute, hour, day, month, year, _dst = (integer() for _ in range(7))
    try:
        # pg_dump stores local time without its zone; pg_restore reads it so too.
        made = datetime(year + 1900, month + 1, day, hour, minute, second).astimezone()
    except (ValueError, OverflowError):
        made = None
    database, source, dumper = text(), text(), text()
    if not (source and dumper):  # a byte too many in front: pg_restore finds no entry, and succeeds
        raise ValueError("the versions in it are missing")
    head = Head(source_version=source, dumped_by=dumper, database=database, dumped_at=made)
    return Header((major, minor), compression, head)


def take(raw: IO[bytes], count: int) -> bytes:
    """Exactly `count` bytes of `raw`; ValueError at its end."""
    data = raw.read(count)
    if len(data) < count:
        raise ValueError("the archive is truncated in its header")
    return data


def header_of(path: Path, form: str, compression: str = "") -> Header:
    """Header of the archive at `path`; one of READ_ERRORS where it cannot be read."""
    if form == "directory":
        return read_header(BytesIO(toc_of(path, compression)))
    with open_plain(path, compression) as raw:
        if form != "tar":
            return read_header(raw)
        try:
            with tarfile.open(fileobj=raw, mode="r|") as tar:
                first = tar.next()
                member = first and first.name == "toc.dat" and tar.extractfile(first)
                return read_header(BytesIO(member.read(4096) if member else b""))
        except (tarfile.TarError, KeyError) as error:
            raise ValueError(str(error)) from None


def toc_of(path: Path, compression: str) -> bytes:
    """The table of contents of the directory-format dump at `path`: a folder, or one in a tar."""
    if not compression:
        return (path / "toc.dat").read_bytes()
    from restore_drill.backups.wraps.tarred import toc_in  # noqa: PLC0415 - rarely needed

    with open_plain(path, outside_tar(compression)) as packed:
        return toc_in(packed)


def reading_tools(header: Header, obtain: Obtain | None = None) -> Binaries:
    """Tools that can read an archive with this header: the newest at hand that know its format.

    `obtain` as in `find_binaries`.
    """
    if header.version > NEWEST_VERSION:
        version = ".".join(map(str, header.version))
        raise CouldNotRun(
            f"the archive has format version {version}, newer than any pg_restore here can read",
            checked=[f"dumped by pg_dump {header.head.dumped_by or 'of an unknown version'}"],
            remedy=remedy_for("select", "newer_format"),
        )
    needs = frozenset({header.compression} & {"zstd", "lz4"})
    return find_binaries(
        header.head.dumper_major if needs else None,
        needs=needs,
        note=print_nothing,
        obtain=obtain,
    )


def reads(tools: Binaries, header: Header) -> bool:
    """Whether pg_restore of `tools` surely reads an archive with this header."""
    is_known = header.version <= READS.get(tools.major, NEWEST_VERSION)
    return is_known and header.compression not in ("zstd", "lz4")


def print_nothing(_text: str) -> None:
    """Say nothing: which tools only read the backup is of no interest."""

"""Recognises a backup by its content, and opens it through its compressions."""

from __future__ import annotations

import bz2
import contextlib
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import lz4.frame
import zstandard
from isal import igzip, igzip_lib

from restore_drill.backups.folders import folder_of_what
from restore_drill.backups.foreign import Foreign, foreign_in
from restore_drill.backups.tars import tar_of_what

MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
}
ARCHIVE = b"PGDMP"
READ_ERRORS = (
    OSError, EOFError, lzma.LZMAError, zstandard.ZstdError, RuntimeError, ValueError,
    cast("type[Exception]", igzip_lib.IsalError),
)  # fmt: skip
"""What the decompressors raise on a damaged file (zlib's and lz4's errors among them)."""

HEAD_BYTES = 1 << 16
"""So much of a file is looked at: enough to see a dump behind a page of messages."""
FEWEST_ENDS = 4
"""So many line feeds of a binary file do not all follow a CR by chance."""
MOST_LAYERS = 3
"""Compressions around each other that are read through; nobody means more than one."""
AROUND = " in "
"""Between the names of compressions, the inner one first: `gzip in zstd`."""

SQL_STARTS = (
    b"--", b"/*", b"set ", b"create ", b"begin", b"start ", b"\\restrict", b"\\connect",
    b"insert ", b"copy ", b"alter ", b"drop ", b"select ", b"comment ", b"grant ",
)  # fmt: skip
SUFFIXES = (
    ".sql", ".dump", ".pgdump", ".backup", ".bak", ".tar", ".gz", ".zst", ".lz4", ".xz", ".bz2",
    ".custom", ".pgc", ".pg", ".psql", ".tgz", ".zip", ".7z", ".rar", ".gpg", ".pgp", ".age",
    ".enc",
)  # fmt: skip
"""Names that claim to be a backup, so that garbage in one is not passed over in silence."""


class Kind(NamedTuple):
    """What a path holds: plain, custom, directory or tar; or what it is instead, and what to do."""

    format: str = ""
    compression: str = ""
    unrecognised: str = ""
    remedy: tuple[str, ...] = ()


class Layers(io.RawIOBase):
    """The innermost of several streams that read each other; closing it closes them all."""

    def __init__(self, streams: list[IO[bytes]]) -> None:
        """Read the last of `streams`."""
        self.streams = streams

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as there is data."""
        data = self.streams[-1].read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close all, the innermost first."""
        for stream in reversed(self.streams):
            stream.close()
        super().close()


def open_plain(path: Path, compression: str) -> IO[bytes]:
    """Bytes of the file at `path` behind its `compression` (empty for none)."""
    names = compression.split(AROUND)[::-1]
    streams: list[IO[bytes]] = [OPENERS[names[0]](path)]
    for name in names[1:]:
        streams.append(OPENERS[name](streams[-1]))
    if len(streams) == 1:
        return streams[0]
    return io.BufferedReader(Layers(streams), 1 << 20)


def open_zstd(source: Path | IO[bytes]) -> IO[bytes]:
    """Bytes of the zstd file `source`, over all its frames."""
    raw = source.open("rb") if isinstance(source, Path) else source
    reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
    return io.BufferedReader(cast("io.RawIOBase", reader), 1 << 20)


OPENERS: dict[str, Callable[[Any], Any]] = {
    "": lambda path: path.open("rb"),
    "gzip": igzip.open,
    "zstd": open_zstd,
    "lz4": lz4.frame.open,
    "xz": lzma.open,
    "bzip2": bz2.open,
}


def compression_of(head: bytes) -> str:
    """Name of the compression whose magic number begins `head`, empty for none."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


def recognise(path: Path) -> Kind:
    """What lies at `path`, by its content; reads the first bytes only.

    Raises OSError where it cannot be read.
    """
    if path.is_dir():
        if (path / "toc.dat").is_file():
            return Kind("directory")
        return unknown(path, "", folder_of_what(path))
    compression = ""
    with path.open("rb") as raw:
        head = raw.read(HEAD_BYTES)
    for _ in range(MOST_LAYERS):
        layer = compression_of(head)
        if not layer:
            break
        compression = f"{layer}{AROUND}{compression}" if compression else layer
        # A head that cannot be read is for the full read to tell.
        head = b""
        with contextlib.suppress(*READ_ERRORS), open_plain(path, compression) as stream:
            head = stream.read(HEAD_BYTES)
    return recognise_head(path, compression, head)


def recognise_head(path: Path, compression: str, head: bytes) -> Kind:
    """As `recognise`, for a file whose first bytes behind its compression are `head`."""
    if head.startswith(ARCHIVE):
        return Kind("custom", compression)
    if head[257:262] == b"ustar":
        return tar_format(path, compression)
    if not head:
        return Kind("plain", compression)
    found = foreign_in(head, is_sql=looks_like_sql(head))
    return unknown(path, compression, found) if found else Kind("plain", compression)


def tar_format(path: Path, compression: str) -> Kind:
    """A tar is a backup when pg_dump's table of contents is its first member."""
    try:
        with open_plain(path, compression) as stream:
            found = tar_of_what(stream)
    except READ_ERRORS:
        found = Foreign("a tar file that cannot be read")
    return unknown(path, compression, found) if found else Kind("tar", compression)


def unknown(path: Path, compression: str, found: Foreign) -> Kind:
    """The path as no backup that can be restored here, but what was `found`."""
    behind = f", behind {compression}" if compression else ""
    return Kind("", compression, found.what + behind, found.steps_for(path))


def is_translated(path: Path) -> bool:
    """Whether every LF in the first megabyte of the file at `path` follows a CR.

    A terminal does that (`docker exec -t`), and so does a transfer in text mode.
    """
    with path.open("rb") as raw:
        head = raw.read(1 << 20)
    ends = head.count(b"\n")
    return ends >= FEWEST_ENDS and head.count(b"\r\n") == ends


def looks_like_sql(head: bytes) -> bool:
    """Whether `head` begins like SQL text."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith(SQL_STARTS) and b"\0" not in head[:4096]

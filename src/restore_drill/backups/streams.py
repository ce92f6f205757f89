"""The bytes of a backup: through its compressions and other layers, and counted."""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import lz4.frame
import zstandard
from isal import igzip, igzip_lib

from restore_drill.backups.arrival import open_bytes
from restore_drill.backups.reading import Reading

if TYPE_CHECKING:
    from restore_drill.backups.plaindump.lines import Readable

MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
}
READ_ERRORS = (
    OSError, EOFError, lzma.LZMAError, zstandard.ZstdError, RuntimeError, ValueError,
    cast("type[Exception]", igzip_lib.IsalError),
)  # fmt: skip
"""What the decompressors raise on a damaged file (zlib's and lz4's errors among them)."""
AROUND = " in "
"""Between the names of compressions, the inner one first: `gzip in zstd`."""


class Layers(Reading):
    """The innermost of several streams that read each other; closing it closes them all."""

    def __init__(self, streams: list[IO[bytes]]) -> None:
        """Read the last of `streams`."""
        self.streams = streams

    def give(self, size: int) -> bytes:
        """What the innermost gives; at its end the others are read on to theirs."""
        data = self.streams[-1].read(size)
        if not data and size:
            self.end_all()
        return data

    def end_all(self) -> None:
        """Read the others to their ends, where an encryption is checked: a layer may end before."""
        for stream in reversed(self.streams[:-1]):
            while stream.read(1 << 16):
                pass

    def close(self) -> None:
        """Close all, the innermost first."""
        for stream in reversed(self.streams):
            stream.close()
        super().close()


def open_plain(path: Path, compression: str) -> IO[bytes]:
    """Bytes of the file at `path` behind its `compression` (empty for none).

    One that is on its way is read as far as it has come, and then as it comes.
    """
    names = compression.split(AROUND)[::-1] if compression else []
    streams: list[IO[bytes]] = [open_bytes(path)]
    try:
        for name in names:
            streams.append(OPENERS[name](streams[-1]))
    except BaseException:
        Layers(streams).close()
        raise
    if len(streams) == 1:
        return streams[0]
    return io.BufferedReader(Layers(streams), 1 << 20)


def unbuffered(stream: IO[bytes]) -> Readable:
    """What `stream`, of which nothing has been read, reads itself, where that is a file.

    To read a megabyte of it at once takes half the time.
    """
    raw = getattr(stream, "raw", None)
    return cast("Readable", raw) if isinstance(raw, io.FileIO) else stream


def open_zstd(source: IO[bytes]) -> IO[bytes]:
    """Bytes of the zstd file `source`, over all its frames."""
    reader = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True)
    return io.BufferedReader(cast("io.RawIOBase", reader), 1 << 20)


def late(module: str, function: str) -> Callable[[IO[bytes]], IO[bytes]]:
    """A `function` of a module in `wraps`, which is imported when it is called."""

    def open_wrap(source: IO[bytes]) -> IO[bytes]:
        found = import_module(f"restore_drill.backups.wraps.{module}")
        stream: IO[bytes] = getattr(found, function)(source)
        return stream

    return open_wrap


OPENERS: dict[str, Callable[[Any], Any]] = {
    "gzip": igzip.open,
    "zstd": open_zstd,
    "lz4": lz4.frame.open,
    "xz": lzma.open,
    "bzip2": bz2.open,
    "age": late("age", "open_age"),
    "gpg": late("gpg", "open_gpg"),
    "openssl": late("openssl", "open_openssl"),
    "cms": late("cms", "open_cms"),
    "base64": late("base64s", "open_base64"),
    "zip": late("zips", "open_zip"),
    "tar": late("tarred", "open_tar"),
}


def outside_tar(compression: str) -> str:
    """Layers around a tar archive, of those that begin with it."""
    return compression.removeprefix("tar").removeprefix(AROUND)


def compression_of(head: bytes) -> str:
    """Name of the compression whose magic number begins `head`, empty for none."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


class Counted:
    """A stream that reports how far it has been read."""

    def __init__(self, stream: Readable, report: Callable[[int], None]) -> None:
        """Read `stream`, giving `report` the bytes so far."""
        self.stream = stream
        self.report = report
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        data = self.stream.read(size)
        self.count += len(data)
        self.report(self.count)
        return data

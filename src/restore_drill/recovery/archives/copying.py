"""A file of an archive is brought to where the server may have it: decompressed, whole or not."""

from __future__ import annotations

import errno
import os
import shutil
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO

from restore_drill.backups.physical.wal_header import MOST, header_of
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.remedies import remedy_for

HEAD = 512
"""Bytes that tell how a file is compressed or encrypted."""
PIECE = 1 << 20
FULL = (errno.ENOSPC, errno.EDQUOT)


def bring(path: Path, to: Path, name: str, where: str, *, to_end: bool = True) -> None:
    """Write what the file at `path` holds, decompressed, to `to`; as far as it goes, or `to_end`.

    BackupFault where it is damaged, CouldNotRun where it cannot be read, or `to` not be written;
    FileNotFoundError where it is gone.
    """
    try:
        with path.open("rb", buffering=0) as file:
            layer = layer_of(file.read(HEAD))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(name, where, error) from None
    if layer:
        (decompress if to_end else as_far)(path, layer, to, name, where)
        return
    try:
        shutil.copyfile(path, to)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(name, where, error) from None


def arrived(raw: Path, to: Path, name: str, where: str, *, to_end: bool = True) -> None:
    """As `bring`, of a file `raw` that is our own: where nothing is around it, it is moved."""
    with raw.open("rb", buffering=0) as file:
        layer = layer_of(file.read(HEAD))
    if layer:
        bring(raw, to, name, where, to_end=to_end)
    else:
        raw.rename(to)


def layer_of(head: bytes) -> str:
    """What is around WAL that begins with `head`: a compression, or none.

    CouldNotRun where that is an encryption, which is no damage.
    """
    if header_of(head) is not None:
        return ""
    from restore_drill.backups.sealed import SEALS, wrap_of  # noqa: PLC0415 - many decompressors
    from restore_drill.backups.streams import compression_of  # noqa: PLC0415

    layer = compression_of(head)
    if not layer and (seal := SEALS.get(wrap_of(head))):
        raise CouldNotRun(
            f"the WAL in the archive is encrypted ({seal}); plain and compressed WAL is read",
            remedy=remedy_for("archive", "sealed"),
        )
    return layer


def decompress(path: Path, layer: str, to: Path, name: str, where: str) -> None:
    """Write what the file at `path`, in `layer`, holds to `to`."""
    from restore_drill.backups.streams import READ_ERRORS, open_plain  # noqa: PLC0415 - see above

    try:
        with open_plain(path, layer) as stream, to.open("wb", buffering=0) as file:
            drain(stream, file)
    except FileNotFoundError:
        raise
    except READ_ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise unreadable(name, where, error) from None
        raise damaged(name, where, f"it cannot be decompressed ({layer}): {error}") from None


def as_far(path: Path, layer: str, to: Path, name: str, where: str) -> None:
    """As `decompress`, of a file that is still being written: as far as it goes.

    Only pg_receivewal compresses while it writes, in two ways; streams give nothing before a cut.
    """
    import lz4.frame  # noqa: PLC0415 - rarely needed

    give = {"gzip": zlib.decompressobj(31), "lz4": lz4.frame.LZ4FrameDecompressor()}.get(layer)
    if give is None:
        decompress(path, layer, to, name, where)
        return
    try:
        with path.open("rb") as packed, to.open("wb") as file, suppress(zlib.error, RuntimeError):
            while piece := packed.read(PIECE):
                file.write(give.decompress(piece))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(name, where, error) from None


def drain(stream: IO[bytes], file: IO[bytes]) -> None:
    """Write all of `stream` to `file`; a segment has an end, whatever a bomb would unpack to."""
    left = MOST + 1
    while left > 0 and (piece := stream.read(PIECE)):
        left -= len(piece)
        view = memoryview(piece)
        while view:
            view = view[file.write(view) :]


def damaged(name: str, where: str, why: str) -> BackupFault:
    """The archive has `name`, and it is not what it was."""
    return BackupFault(
        f"the WAL file {name} is damaged: {why}",
        checked=[where],
        remedy=remedy_for("archive", "damaged", name=name),
    )


def unreadable(name: str, where: str, error: OSError) -> CouldNotRun:
    """What lies there cannot be read, or what was read not be written here."""
    if error.errno in FULL:
        return CouldNotRun(
            f"the WAL file {name} cannot be kept for the server: no space left on disk",
            checked=[where],
            remedy=remedy_for("server_start", "disk"),
        )
    return CouldNotRun(
        f"the WAL file {name} cannot be read: {os.strerror(error.errno or errno.EIO)}",
        checked=[where],
        remedy=remedy_for("archive", "unreadable", where=where),
    )

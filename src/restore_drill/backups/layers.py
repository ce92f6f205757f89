"""The layers around a backup, by their first bytes: compressions, encryptions, zip, tar."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.arrival import open_bytes
from restore_drill.backups.foreign import Foreign
from restore_drill.backups.sealed import SEALS, wrap_of
from restore_drill.backups.streams import AROUND, READ_ERRORS, compression_of, open_plain
from restore_drill.backups.tars import is_tar

HEAD_BYTES = 1 << 16
"""Bytes of a file that are read to recognise it: enough to see a dump behind a page of messages."""
MOST_LAYERS = 6
"""Layers around each other that are read through: an encryption in base64, a tar, compressions."""
DIRECTORY_IN_TAR = "directory in tar"


def around(layer: str, compression: str) -> str:
    """The layers `compression` with one more inside them: `gzip in age`."""
    return f"{layer}{AROUND}{compression}" if compression else layer


def layer_of(path: Path, compression: str, head: bytes) -> str:
    """The layer that begins with `head`, behind `compression`; empty where there is none.

    An archive is one only where it is around one dump; DIRECTORY_IN_TAR is around a folder.
    """
    if layer := compression_of(head) or wrap_of(head):
        if layer == "zip":
            return "" if other_in_zip(path, compression) else layer
        return layer
    if not is_tar(head):
        return ""
    from restore_drill.backups.wraps.tarred import what_tar_holds  # noqa: PLC0415 - rarely needed

    with contextlib.suppress(*READ_ERRORS), open_plain(path, compression) as stream:
        holds = what_tar_holds(stream)
        return {"dump": "tar", "directory": DIRECTORY_IN_TAR}.get(holds, "")
    return ""


def other_in_zip(path: Path, compression: str) -> Foreign | None:
    """What a zip archive is that is not around one dump."""
    from restore_drill.backups.wraps.zips import zip_of_what  # noqa: PLC0415 - rarely needed

    with contextlib.suppress(*READ_ERRORS), open_plain(path, compression) as stream:
        return zip_of_what(stream)
    return None


class Peeled(NamedTuple):
    """The layers around a file, and the first bytes behind them, empty where they cannot be read.

    `end` is the layer that was not gone through: an encryption, a folder in a tar.
    """

    compression: str
    head: bytes
    end: str = ""


def peeled(path: Path, *, decrypt: bool) -> Peeled:
    """What lies behind the layers of the file at `path`; raises what `formats.recognise` does."""
    compression = ""
    with open_bytes(path) as raw:
        head = raw.read(HEAD_BYTES)
    for _ in range(MOST_LAYERS):
        layer = layer_of(path, compression, head)
        if layer == DIRECTORY_IN_TAR:
            return Peeled(compression, head, layer)
        if not layer:
            break
        compression = around(layer, compression)
        if layer in SEALS and not decrypt:
            return Peeled(compression, b"", layer)
        # A head that cannot be read is for the full read to report.
        head = b""
        with contextlib.suppress(*READ_ERRORS), open_plain(path, compression) as stream:
            head = stream.read(HEAD_BYTES)
    return Peeled(compression, head)

"""The layers around a backup, by their first bytes: compressions, encryptions, zip, tar."""

from __future__ import annotations

import contextlib
from pathlib import Path

from restore_drill.backups.foreign import Foreign
from restore_drill.backups.sealed import wrap_of
from restore_drill.backups.streams import AROUND, READ_ERRORS, compression_of, open_plain
from restore_drill.backups.tars import is_tar

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

"""What the drill writes of a backup: for its owner alone, and a full disk is no damage."""

from __future__ import annotations

import io
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes

OWNER_ALONE = 0o600
"""Mode of what was fetched or decrypted: a folder may be open to others."""


def write_all(file: io.FileIO, piece: bytes, folder: Path) -> None:
    """Write `piece` to a `file` in `folder`; CouldNotRun where that has no room: no damage."""
    view = memoryview(piece)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise CouldNotRun(
            f"not enough space for the backup in {folder}: {error.strerror}",
            checked=[f"{show_bytes(file.tell())} were written"],
            remedy=remedy_for("machine", "disk_full"),
        ) from None

"""Room for a copy: asked for before the first byte is copied."""

from __future__ import annotations

import shutil

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.recovery.copies.work import Work
from restore_drill.servers.place import MINIMUM_ROOM


def ask_for(size: int, work: Work) -> None:
    """CouldNotRun where the disk has no room for `size` bytes, and for a server to recover them."""
    free = shutil.disk_usage(work.data).free
    needed = size + MINIMUM_ROOM
    if free < needed:
        raise CouldNotRun(
            f"not enough space for a copy of the backup in {work.data.parent}:"
            f" {show_bytes(free)} free, {show_bytes(needed)} needed",
            checked=[f"{show_bytes(size)} in the backup, {show_bytes(MINIMUM_ROOM)} to recover it"],
            remedy=remedy_for("machine", "no_temporary_folder"),
        )

"""What drills that were killed have fetched from other machines: any later one removes it."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import suppress

from restore_drill.config.remote import places_folder

LOCK = "owner"
"""File in the folder of a process that it holds a lock on while it lives."""


def clean_left_mirrors() -> list[str]:
    """Remove the fetched files of processes that are dead, of all places; what was done, in words.

    They may be plain dumps, and nobody may ever drill that place again.
    """
    done = []
    for folder in places_folder().glob("*/files-*"):
        with suppress(OSError), (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            done.append(f"removed what a run that died had fetched: {folder}")
    return done

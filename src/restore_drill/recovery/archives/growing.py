"""A file that is still being written: a copy into an archive is not there all at once."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

FRESH = 60.0
"""Seconds after its last change in which a file may be one that is still being written."""
STILL = 3.0
"""Seconds without a change after which such a file is taken for what it is."""
POLL = 0.05


def grows(path: Path) -> bool:
    """Whether the file at `path` changes, or goes: then it is worth to be read again.

    Waits for that where it has changed lately.
    """
    with suppress(FileNotFoundError):
        before = path.stat()
        if not 0 <= time.time() - before.st_mtime < FRESH:
            return False
        until = time.monotonic() + STILL
        while time.monotonic() < until:
            time.sleep(POLL)
            now = path.stat()
            if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                return True
        return False
    return True

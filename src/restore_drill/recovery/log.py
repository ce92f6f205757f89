"""The log of a recovering server, line by line: of any length, and written by no one we trust."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from restore_drill.servers import untrusted

LONGEST = 4096
"""Bytes of a line that are read."""
LEVELS = ("LOG", "WARNING", "ERROR", "FATAL", "PANIC", "HINT", "DETAIL", "NOTICE", "INFO")


class Line(NamedTuple):
    """A line of the log: seconds since 1970 (0 where it says none), its level, its words."""

    at: float
    level: str
    text: str


def read_log(path: Path, start: int = 0) -> Iterator[Line]:
    """Lines of the log at `path` from the byte `start` on; none where it is no plain file."""
    with suppress(OSError), untrusted.opened(path.parent) as folder:
        how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(path.name, how, dir_fd=folder), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return
            file.seek(start)
            while raw := file.readline(LONGEST):
                if text := raw.decode("utf-8", "replace").rstrip("\n"):
                    yield line_of(text)


def line_of(text: str) -> Line:
    """A line as the server writes it, taken apart; one of another program has no level."""
    stamp, _, rest = text.partition(" ")
    level, colon, words = rest.partition(":  ")
    if colon and level in LEVELS:
        with suppress(ValueError):
            return Line(float(stamp), level, words)
    return Line(0.0, "", text)


def size_of(path: Path) -> int:
    """Bytes of the log at `path`; 0 where there is none yet."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0

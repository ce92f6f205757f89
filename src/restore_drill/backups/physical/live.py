"""Whether a data directory is that of a server that runs: its files change while one reads them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from restore_drill.core.errors import UsageError

LOCK = "postmaster.pid"
SERVERS = ("postgres", "postmaster")


def is_live(path: Path) -> bool:
    """Whether a server of this machine runs on the data directory at `path`.

    A snapshot holds the lock file of the server that it was taken of: only a process counts that is
    a server, and works in that folder, as far as we may see where it works.
    """
    with suppress(OSError, ValueError):
        with (path / LOCK).open("rb") as file:
            number = abs(int(file.read(32).split(b"\n", 1)[0]))
        return number > 0 and serves(number, path.resolve())
    return False


def serves(number: int, path: Path) -> bool:
    """Whether the process of that `number` is a PostgreSQL server that works in `path`."""
    import psutil  # noqa: PLC0415 - asked for one folder among many

    try:
        process = psutil.Process(number)
        if process.name() not in SERVERS:
            return False
        try:
            return bool(os.path.samefile(process.cwd(), path))  # noqa: PTH121 - as it says it
        except (psutil.AccessDenied, OSError):
            # Whose it is stands in the folder of a server that is no copy.
            return bool(process.uids().effective == path.stat().st_uid)
    except psutil.Error:
        return False


def refuse_live(path: Path) -> None:
    """UsageError where a server runs on the data directory at `path`."""
    if is_live(path):
        raise UsageError(
            f"{path} is the data directory of a PostgreSQL server that runs: it is never drilled "
            "in place; take a backup of it (pg_basebackup), and name that"
        )

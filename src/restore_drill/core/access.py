"""Files that the drill's user may not read: whose they are, and what to do about it."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

ENTRY = "toc.dat"
"""A directory with this file is one backup: all that lies in it must be readable."""


def closed_in(path: Path) -> Path | None:
    """What this user may not read: `path`, or a file of a directory dump; None for nothing."""
    if not may(path, os.F_OK):
        return None
    if not path.is_dir():
        return None if may(path, os.R_OK) else path
    if not may(path, os.R_OK | os.X_OK):
        return path
    entries = path.iterdir() if (path / ENTRY).exists() else ()
    return next((each for each in entries if not may(each, os.R_OK)), None)


def may(path: Path, how: int) -> bool:
    """Whether this user may use `path` so (`os.R_OK` and the like)."""
    return os.access(path, how, effective_ids=True)


def cannot_read(what: str, path: Path, error: OSError | None = None) -> CouldNotRun:
    """The error that `what`, which lies at `path`, cannot be read; `error` says why, if known."""
    closed = nearest_closed(path)
    if closed is None:
        why = error.strerror if error else "Permission denied"
        remedy = remedy_for("machine", "unreadable")
        return CouldNotRun(f"{what} {path} cannot be read: {why}", remedy=remedy)
    return CouldNotRun(
        f"{what} {path} cannot be read: Permission denied",
        checked=[owner_of(closed)],
        remedy=remedy_for("machine", "closed", path=closed, user=me()),
    )


def why_closed(path: Path, error: OSError) -> str:
    """Why `path` cannot be read, with its owner and mode where they are the reason."""
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return f"it is a link to {path.readlink()}, which does not exist"
    closed = nearest_closed(path)
    return f"{error.strerror} ({owner_of(closed)})" if closed else str(error.strerror)


def nearest_closed(path: Path) -> Path | None:
    """The first of the folders down to `path`, or of what lies in it, that is closed to us."""
    for folder in reversed(path.absolute().parents):
        if not may(folder, os.F_OK):
            return None  # what is not there is not closed
        if not may(folder, os.X_OK):
            return folder
    return closed_in(path)


def owner_of(path: Path) -> str:
    """`/srv/b.dump belongs to postgres:postgres, mode 0600; the drill runs as ana`."""
    found = path.stat()
    owner = named(lambda: pwd.getpwuid(found.st_uid).pw_name, found.st_uid)
    group = named(lambda: grp.getgrgid(found.st_gid).gr_name, found.st_gid)
    mode = stat.S_IMODE(found.st_mode)
    return f"{path} belongs to {owner}:{group}, mode {mode:04o}; the drill runs as {me()}"


def me() -> str:
    """Name of the user who runs the drill."""
    return named(lambda: pwd.getpwuid(os.geteuid()).pw_name, os.geteuid())


def named(find: Callable[[], str], number: int) -> str:
    """The name that `find` gives, or the number that has none."""
    try:
        return find()
    except KeyError:
        return str(number)

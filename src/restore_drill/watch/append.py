"""An entry is added to a history: one write at its end, behind a lock, and on the disk after it.

In a bucket it is an object of its own (`bucket.py`).
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Mapping
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from restore_drill.config.remote import histories, places_folder
from restore_drill.core.errors import CouldNotRun
from restore_drill.watch.chain import Link, last_link, sealed

PATIENCE = 20.0
"""Seconds for which others that write are waited for."""
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
"""Errors of file systems that know no locks: some network shares."""
NOT_RECORDED = "This drill was not recorded in"
"""With these words a drill says that its history cannot be written."""


def append(path: Path, entry: Mapping[str, Any]) -> Link:
    """Add `entry` to the history at `path`, which is made where there is none.

    Raises OSError where it was not written whole, of a bucket CouldNotRun: nothing of it stays
    there then.
    """
    if path in histories:
        from restore_drill.watch.bucket import append_there  # noqa: PLC0415 - few have one

        return append_there(path, entry)
    # That of a place that could never be listed is not there yet; BACKUP_PATH itself is not made.
    path.parent.mkdir(parents=path.is_relative_to(places_folder()), exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    handle = os.open(path, flags, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        lock(handle)
        known = whole_of(handle)
        link, line = sealed(entry, last_link(known), known)
        write(handle, b"\n" * is_torn(known) + line, len(known))
        return link
    finally:
        os.close(handle)


def why_not(error: OSError | CouldNotRun) -> str:
    """Why `append` has not added an entry, and what is to be done about it, on one line."""
    if isinstance(error, CouldNotRun):
        return "; ".join([error.what, *error.remedy])
    return str(error.strerror)


def cause_of(error: OSError) -> str:
    """Why `append` has failed: `full`, `locked`, or `unwritable` for all else."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "full"
    return "locked" if error.errno == errno.EAGAIN else "unwritable"


def lock(handle: int) -> None:
    """Keep other writers out until `handle` is closed; OSError where they do not end."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise OSError(errno.EAGAIN, "another process has locked it") from None
            time.sleep(0.02)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return
        else:
            return


def whole_of(handle: int) -> bytes:
    """All that the file holds."""
    parts, at = [], 0
    while part := os.pread(handle, 1 << 20, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def is_torn(known: bytes) -> bool:
    """Whether the last line has no end: a drill was killed, or its disk was full."""
    return known != b"" and not known.endswith(b"\n")


def write(handle: int, line: bytes, size: int) -> None:
    """Write `line` in one piece behind the `size` bytes there are; OSError, and nothing, if not."""
    try:
        written = os.write(handle, line)
        if written != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise

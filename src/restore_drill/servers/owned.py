"""Directories that belong to one process: made, removed, and known as left over after a kill.

The file `owner` in each is locked while its process lives: the kernel lets go of it however the
process ends. For the moments in which there is no such file yet, or no more, the process id stands
in the name. So a kill at any moment leaves something that the next run knows.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import psutil

from restore_drill.core.units import show_time
from restore_drill.servers import untrusted

OWNER = "owner"
GRACE = 3600.0
"""Seconds after which a directory without owner belongs to nobody, whatever its process id says."""
TRANSIENT = re.compile(r"\.(\d+)$")
"""End of a name: the process that is just making the directory, or removing what is left of it."""


def make_owned(base: Path, prefix: str) -> tuple[Path, BinaryIO]:
    """Make a directory (mode 0700) in `base`; gives it and the lock of its owner, this process.

    Raises OSError.
    """
    # Not mkdtemp: an interrupt inside it would leave a directory whose name nobody knows.
    path = base / f"{prefix}{secrets.token_hex(4)}"
    made = transient(path)
    try:
        made.mkdir(mode=0o700)
        lock = own(made)
        if path.exists():
            raise FileExistsError(path)
        made.rename(path)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)
        raise
    return path, lock


def transient(path: Path) -> Path:
    """Name of the directory `path` while it has no owner, or may lose it."""
    return path.with_name(f"{path.name}.{os.getpid()}")


def own(path: Path) -> BinaryIO:
    """Lock the new directory `path` for this process; raises OSError."""
    started = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    lock = (path / OWNER).open("xb+")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write(f"process {os.getpid()}, started {show_time(started)}".encode())
    lock.flush()
    return lock


def remove_owned(path: Path) -> None:
    """Remove the directory `path`, its owner last; where that does not go, the owner stays too."""
    untrusted.empty(path, but=OWNER)
    with suppress(OSError):
        if not {item.name for item in path.iterdir()} <= {OWNER}:
            return
        gone = path if TRANSIENT.search(path.name) else path.rename(transient(path))
        untrusted.remove_tree(gone)


def directories(bases: list[Path], names: str) -> list[Path]:
    """Directories in `bases` whose names match, also those that are being made or removed."""
    found = (path for base in bases for path in (*base.glob(names), *base.glob(f"{names}.*")))
    return sorted(found, key=lambda path: (bases.index(path.parent), path.name))


@contextmanager
def claimed(path: Path, contents: set[str] | None = None) -> Iterator[str | None]:
    """Hold the left-over `path` against other runs; gives its owner in words, None: hands off.

    Without owner it is a left-over only if it is ours, and holds nothing but these `contents`.
    """
    lock = None
    try:
        lock = take_lock(path)
        owner = describe_owner(path, lock, contents)
    except OSError:
        owner = None
    try:
        yield owner
    finally:
        if lock is not None:
            lock.close()


def take_lock(path: Path) -> BinaryIO | None:
    """Lock the owner file of `path`; None without such a file.

    Raises OSError when its owner lives (and holds the lock) or the directory is not ours.
    """
    if not stat.S_ISDIR(path.lstat().st_mode):
        raise NotADirectoryError
    try:
        descriptor = os.open(path / OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    lock = os.fdopen(descriptor, "rb+")
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def is_held(path: Path) -> bool:
    """Whether the owner of the directory `path`, a process of this user, lives."""
    try:
        lock = take_lock(path)
    except BlockingIOError:
        return True
    except OSError:
        return False
    if lock is not None:
        lock.close()
    return False


def describe_owner(
    path: Path, lock: BinaryIO | None, contents: set[str] | None = None
) -> str | None:
    """Dead owner of `path` in words; None where it may live, or the directory is not ours."""
    words = lock.read(200).decode("utf-8", "replace") if lock else ""
    if words.startswith("process "):
        return words
    found = path.lstat()
    if found.st_uid != os.geteuid():
        return None
    if contents is not None and not {item.name for item in path.iterdir()} <= contents:
        return None
    process = TRANSIENT.search(path.name)
    if process and not psutil.pid_exists(int(process[1])):
        return f"process {process[1]}"
    return "owner unknown" if time.time() - found.st_mtime > GRACE else None

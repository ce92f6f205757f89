"""Run directories of embedded servers: made, owned, removed, and found again after a kill."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import psutil

from restore_drill.core.units import show_time
from restore_drill.servers import untrusted
from restore_drill.servers.processes import stop_server

MEMORY = Path("/dev/shm")  # noqa: S108
"""Directory that Linux keeps in memory."""
PREFIX = "restore-drill-"
NAMES = PREFIX + "?" * 8
"""Names of run directories."""
OWNER, DATA, LOG, BUILD, SOCKET = "owner", "data", "server.log", "build", ".s.PGSQL.5432"
WAY = "way"
"""Where our own way to the socket lies, which the server cannot lead elsewhere."""
SOCKET_LIMIT = 103
"""Bytes of a socket's path: 103 on macOS, 107 on Linux."""
CONTENTS = {OWNER, f"{OWNER}.new", DATA, LOG, BUILD, SOCKET, f"{SOCKET}.lock", WAY}
"""All that we put into a run directory: one without owner that holds more is not ours."""
GRACE = 3600.0
"""Seconds for which a directory without owner may still be one that is being made or removed."""


@dataclass(frozen=True)
class RunDirectory:
    """Private directory of one server: `owner`, `data/`, its socket and its log.

    `lock` is the file `owner`, locked while its process lives: the kernel lets go of it however
    the process ends, which a process id in a file cannot promise.
    """

    path: Path
    lock: BinaryIO

    @property
    def data(self) -> Path:
        """Data directory of the server."""
        return self.path / DATA

    @property
    def log(self) -> Path:
        """Log of the server."""
        return self.path / LOG

    def remove(self) -> None:
        """Stop the server at once and remove everything; harmless when called twice."""
        stop_and_remove(self.path)
        self.lock.close()


@dataclass(frozen=True)
class LeftOver:
    """Run directory whose owner is dead; `owner` says who that was, as far as it is known."""

    path: Path
    owner: str


def bases() -> list[Path]:
    """Directories for temporary files, the user's own (TMPDIR) first."""
    found = [Path("/tmp"), Path("/var/tmp")]  # noqa: S108
    with suppress(FileNotFoundError):
        found.insert(0, Path(tempfile.gettempdir()))
    return [path for path in dict.fromkeys(map(Path.resolve, found)) if path.is_dir()]


def make_run_directory(base: Path) -> RunDirectory:
    """Make a run directory (mode 0700) in `base`, owned by this process; raises OSError."""
    # Not mkdtemp: an interrupt inside it would leave a directory whose name nobody knows.
    path = base / f"{PREFIX}{secrets.token_hex(4)}"
    try:
        path.mkdir(mode=0o700)
        return RunDirectory(path, own(path))
    except FileExistsError:
        raise
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def own(path: Path) -> BinaryIO:
    """Lock the new run directory `path` for this process; raises OSError."""
    lock = (path / f"{OWNER}.new").open("xb+")
    fcntl.flock(lock, fcntl.LOCK_EX)
    started = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    lock.write(f"process {os.getpid()}, started {show_time(started)}".encode())
    lock.flush()
    # Named only when locked, so that no other run takes it for a dead one's.
    (path / f"{OWNER}.new").rename(path / OWNER)
    return lock


def stop_and_remove(path: Path) -> int | None:
    """Stop what runs in the run directory `path` and remove it; the server's process id, or None.

    Twice at most: a program that was just starting may have written after the first time.
    """
    pid = None
    for _ in range(2):
        if path.exists():
            if (path / DATA).exists():
                pid = stop_server(path / DATA) or pid
            untrusted.remove_tree(path)
    return pid


def find_left_overs() -> list[LeftOver]:
    """Run directories of this user whose owner is dead."""
    found = []
    for path in (path for base in (*bases(), MEMORY) for path in sorted(base.glob(NAMES))):
        with claimed(path) as owner:
            if owner is not None:
                found.append(LeftOver(path, owner))
    return found


def clean_left_overs() -> list[str]:
    """Stop the servers of dead owners and remove their directories; what was done, in words."""
    return [line for left_over in find_left_overs() if (line := clean(left_over))]


def clean(left_over: LeftOver) -> str:
    """Clean one left-over; what was done, in words, empty when another run was quicker."""
    path = left_over.path
    with claimed(path) as owner:
        if owner is None:
            return ""
        pid = stop_and_remove(path)
    server = f"stopped the PostgreSQL server {pid} of" if pid else "cleaned up after"
    rest = (
        f"could not remove all of {path}: remove it by hand" if path.exists() else f"removed {path}"
    )
    return f"{server} a run that died ({owner}); {rest}"


@contextmanager
def claimed(path: Path) -> Iterator[str | None]:
    """Hold the left-over `path` against other runs; gives its owner in words, None: hands off."""
    lock = None
    try:
        lock = take_lock(path)
        owner = describe_owner(path, lock)
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


def describe_owner(path: Path, lock: BinaryIO | None) -> str | None:
    """Dead owner of `path` in words; None where it has none and is young or not ours."""
    if lock is not None:
        words = lock.read(200).decode("utf-8", "replace")
        return words if words.startswith("process ") else None
    found = path.lstat()
    is_old = time.time() - found.st_mtime > GRACE
    is_ours = found.st_uid == os.geteuid() and {item.name for item in path.iterdir()} <= CONTENTS
    return "owner unknown" if is_old and is_ours else None

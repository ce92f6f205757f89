"""Folders of embedded Redis servers: made, locked by their process, cleaned up after it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import redis

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.connection import client_options
from restore_drill.servers.cleanup import SOCKET_LIMIT, bases

FOLDER = "restore-drill-redis-"


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder for this user alone, whose lock is held while this process lives."""
    folder = make_folder()
    try:
        with (folder / "lock.new").open("x") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Named only when locked, so that no other run takes it for a dead one's.
            (folder / "lock.new").rename(folder / "lock")
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_folder() -> Path:
    """Make an empty folder whose path is short enough for a socket; TMPDIR comes first."""
    against = []
    for base in bases():
        if len(os.fsencode(base / f"{FOLDER}12345678" / "redis.12345.sock")) > SOCKET_LIMIT:
            against.append(f"{base}: its path is too long for a Unix socket")
            continue
        try:
            return Path(tempfile.mkdtemp(prefix=FOLDER, dir=base))
        except OSError as error:
            against.append(f"{base}: {error.strerror}")
    raise CouldNotRun(
        "no temporary directory is suitable for the embedded Redis",
        checked=against,
        remedy=remedy_for("machine", "no_temporary_folder"),
    )


def clean_left_over_redis() -> list[str]:
    """End the embedded servers of dead runs and delete their folders; what was done, in words.

    A folder is ours to delete when this user owns it and nobody holds its lock any more.
    """
    done = []
    for folder in (path for base in bases() for path in sorted(base.glob(FOLDER + "*"))):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            with (folder / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shut_down(folder)
                shutil.rmtree(folder)
                done.append(f"stopped the embedded Redis of a run that died; removed {folder}")
    return done


def shut_down(folder: Path) -> None:
    """End the server that keeps its files in `folder`, by its own socket and password."""
    password = (folder / "redis.conf").read_text(encoding="ascii").split()[1]
    for path in folder.glob("*.sock"):
        client = redis.Redis(unix_socket_path=str(path), password=password, **client_options())
        with closing(client), suppress(redis.RedisError):
            client.shutdown(nosave=True)

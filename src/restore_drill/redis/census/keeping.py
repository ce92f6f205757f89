"""A server that loads an RDB file with all of its keys, those that have expired among them.

A primary leaves them out; a replica waits for its primary to delete them. So the digest of a backup
is the same tomorrow as when it was taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.ended import Unreadable
from restore_drill.redis.backup.model import Placed, RestoredRedis
from restore_drill.redis.backup.place import RDB_NAME
from restore_drill.redis.backup.restore import Opened
from restore_drill.redis.backup.server import load, refuse_without_memory
from restore_drill.redis.backup.tools import in_order
from restore_drill.redis.census.content import digest_of
from restore_drill.redis.connection import Server

NO_SERVER = "no server on this machine can load the keys that have expired since"


@contextmanager
def keeping_expired(
    path: Path, folder: Path, lock: BinaryIO, written_by: str = ""
) -> Iterator[Server]:
    """A server with all keys of the RDB file at `path`, in the new `folder`; CouldNotRun."""
    folder.mkdir(mode=0o700)
    placed = Placed(folder, rdb=folder / RDB_NAME, keeps_expired=True)
    (folder / RDB_NAME).symlink_to(path.absolute())  # not what /proc leads to
    with ExitStack() as stack:
        yield first_that_reads(placed, lock, stack, written_by)


def first_that_reads(placed: Placed, lock: BinaryIO, stack: ExitStack, written_by: str) -> Server:
    """The first server here that knows the version of the file; `stack` ends it."""
    for binary in in_order(written_by):
        try:
            return load(binary, placed, lock, stack)[1]
        except Unreadable:
            continue
    raise CouldNotRun(
        "no server here can load the backup of Redis",
        remedy=remedy_for("redis_backup", "no_server"),
    )


def databases_of(server: Server) -> list[int]:
    """Numbers of the databases that hold keys."""
    keyspace: dict[str, object] = server.client.info("keyspace")
    return sorted(int(name.removeprefix("db")) for name in keyspace)


def has_digest(digest: str, found: RestoredRedis, opened: Opened) -> bool | str:
    """Whether the backup that was `opened` holds keys with this `digest`; else why nothing says so.

    The server that has restored it does where no key has expired since; else one that still has
    those keys is asked, if there is memory for a second one.
    """
    here = "" if found.expired else digest_of(found.server)
    if here == digest:
        return True
    if opened.placed.rdb is None or not in_order(opened.file.written_by):
        return NO_SERVER if not here or opened.file.expires != 0 else False
    try:
        refuse_without_memory(opened.file.used_memory)
    except CouldNotRun as error:
        return f"some keys have expired, so that all of them need a second server: {error.what}"
    folder = opened.placed.folder.parent / "with-expired"
    with keeping_expired(opened.placed.rdb, folder, opened.lock, opened.file.written_by) as server:
        now = digest_of(server)
    return now == digest if now else "hash fields expire on their own, so there is no digest"

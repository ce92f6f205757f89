"""A backup of Redis, loaded whole into a server of the drill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from restore_drill.backups.model import Backup
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.check_aof import check_aof
from restore_drill.redis.backup.check_rdb import check_rdb
from restore_drill.redis.backup.ended import Loading, Unreadable
from restore_drill.redis.backup.model import FileFacts, Placed, RestoredRedis
from restore_drill.redis.backup.place import place
from restore_drill.redis.backup.server import (
    load,
    refuse_without_memory,
)
from restore_drill.redis.backup.tools import Binary, in_order
from restore_drill.redis.connection import Server
from restore_drill.redis.folders import private_folder

DATA = "data"
SINCE_PARTS = (7,)
"""Version of Redis since which append-only files have a manifest."""


@dataclass(frozen=True)
class Opened:
    """A backup laid out in a folder of the drill, with what its file shows."""

    backup: Backup
    placed: Placed
    lock: BinaryIO
    file: FileFacts


Load = Callable[[Opened, ExitStack], tuple[Loading, Server]]
"""Loads a backup into one server; raises Unreadable where that does not know its version."""


def open_backup(backup: Backup, note: Callable[[str], None], stack: ExitStack) -> Opened:
    """Lay out `backup` and check its file; `stack` removes all of it.

    Raises BackupFault where its layers are damaged: what is wrong with the file stands in `file`.
    """
    folder, lock = private_folder(note, stack)
    placed = place(backup, folder / DATA)
    file = check_aof(placed) if placed.aof else check_rdb(placed.rdb or folder, placed.folder)
    return Opened(backup, placed, lock, file)


def restore(
    opened: Opened,
    stack: ExitStack,
    image: str | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> RestoredRedis:
    """Load what is `opened` into the first server here that can read it; `stack` ends it.

    With an `image` it is the one in a container of that. Raises BackupFault, CouldNotRun.
    """
    refuse_without_memory(opened.file.used_memory)
    tried = []
    for way in [in_image(image, note)] if image else ways(opened):
        started = time.monotonic()
        try:
            loader, server = way(opened, stack)
        except Unreadable as error:
            tried.append(f"{error} does not know this version of the file")
            continue
        return restored_by(opened, loader, time.monotonic() - started, server)
    raise CouldNotRun(
        f"no server here can load the backup of Redis ({opened.file.words})",
        checked=tried or ["no Redis or Valkey is installed"],
        remedy=remedy_for("redis_backup", "no_server"),
    )


def ways(opened: Opened) -> Iterator[Load]:
    """Servers of this machine that may read what is `opened`, the likeliest first."""
    for binary in in_order(opened.file.written_by):
        if not opened.placed.is_multi_part or binary.version >= SINCE_PARTS:
            yield partial(load_here, binary)


def load_here(binary: Binary, opened: Opened, stack: ExitStack) -> tuple[Loading, Server]:
    """Load it into `binary`."""
    return load(binary, opened.placed, opened.lock, stack)


def in_image(image: str, note: Callable[[str], None]) -> Load:
    """Function that loads it into a server of `image`."""

    def load_it(opened: Opened, stack: ExitStack) -> tuple[Loading, Server]:
        from restore_drill.redis.backup.in_container import (  # noqa: PLC0415 - docker loads slowly
            load_in_container,
        )

        return load_in_container(image, opened.placed, note, stack)

    return load_it


def restored_by(opened: Opened, loader: Loading, seconds: float, server: Server) -> RestoredRedis:
    """What the `loader` has loaded, by its own account and by the file's."""
    loaded, expired, emptied = loader.counted()
    keyspace: dict[str, dict[str, int]] = server.client.info("keyspace")
    databases = {
        int(name.removeprefix("db")): int(found["keys"]) for name, found in keyspace.items()
    }
    words = loader.binary.words
    return RestoredRedis(
        server, opened.backup, opened.file, words, loaded, expired, databases, seconds, emptied
    )

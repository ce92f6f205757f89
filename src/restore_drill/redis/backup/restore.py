"""A backup of Redis, loaded whole into a server of the drill."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

from restore_drill.backups.model import Backup
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.check_aof import check_aof
from restore_drill.redis.backup.check_rdb import check_rdb
from restore_drill.redis.backup.model import FileFacts, Placed, RestoredRedis
from restore_drill.redis.backup.place import place
from restore_drill.redis.backup.server import (
    Loader,
    Unreadable,
    load,
    private_folder,
    refuse_without_memory,
)
from restore_drill.redis.backup.tools import Binary, in_order
from restore_drill.redis.connection import Server

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


def open_backup(backup: Backup, note: Callable[[str], None], stack: ExitStack) -> Opened:
    """Lay out `backup` and check its file; `stack` removes all of it.

    Raises BackupFault where its layers are damaged: what is wrong with the file stands in `file`.
    """
    folder, lock = stack.enter_context(private_folder(note))
    placed = place(backup, folder / DATA)
    file = check_aof(placed) if placed.aof else check_rdb(placed.rdb or folder, placed.folder)
    return Opened(backup, placed, lock, file)


def restore(opened: Opened, stack: ExitStack) -> RestoredRedis:
    """Load what is `opened` into the first server here that can read it; `stack` ends it."""
    refuse_without_memory(opened.file.used_memory)
    tried = []
    for binary in in_order(opened.file.written_by):
        if opened.placed.is_multi_part and binary.version < SINCE_PARTS:
            continue
        started = time.monotonic()
        try:
            loader, server = load(binary, opened.placed, opened.lock, stack)
        except Unreadable as error:
            tried.append(f"{error} does not know this version of the file")
            continue
        seconds = time.monotonic() - started
        return restored_by(opened, binary, loader, seconds, server)
    raise CouldNotRun(
        f"no server here can load the backup of Redis ({opened.file.words})",
        checked=tried or ["no Redis or Valkey is installed"],
        remedy=remedy_for("redis_backup", "no_server"),
    )


def restored_by(
    opened: Opened, binary: Binary, loader: Loader, seconds: float, server: Server
) -> RestoredRedis:
    """What `binary` has loaded, by its own account and by the file's."""
    loaded, expired = loader.counted()
    keyspace: dict[str, dict[str, int]] = server.client.info("keyspace")
    databases = {
        int(name.removeprefix("db")): int(found["keys"]) for name, found in keyspace.items()
    }
    return RestoredRedis(
        server, opened.backup, opened.file, binary.words, loaded, expired, databases, seconds
    )

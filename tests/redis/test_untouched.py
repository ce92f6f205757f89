"""Nothing of the user's is changed or evicted: by the digest of all keys, and the counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers.redis_servers import BINARIES, VERSIONS, Drill, Look, Redis, Serve

KEYS = 50_000
POLICIES = (
    "noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
)  # fmt: skip


def filled(serve: Serve, binary: str) -> Redis:
    """A server with keys of all types, most of which expire, and of two databases."""
    server = serve("--enable-debug-command", "local", binary=binary)
    ask: Callable[..., Any] = server.admin.execute_command
    ask("DEBUG", "POPULATE", KEYS, "user", 100)
    with server.admin.pipeline(transaction=False) as pipe:
        for number in range(0, KEYS, 2):
            pipe.expire(f"user:{number}", 90_000)
        pipe.rpush("list", *range(100))
        pipe.sadd("set", *range(100))
        pipe.zadd("ranked", {f"m{number}": number for number in range(100)})
        pipe.hset("hash", mapping={f"f{number}": number for number in range(100)})
        pipe.xadd("stream", {"field": "value"})
        pipe.execute()
    return server


def state_of(server: Redis) -> tuple[object, ...]:
    """Digest of all keys and values, and how many keys there are, were evicted or have expired."""
    ask: Callable[..., Any] = server.admin.execute_command
    stats = server.admin.info("stats")
    counted = ("evicted_keys", "expired_keys")
    return ask("DEBUG", "DIGEST"), server.admin.dbsize(), *(stats[name] for name in counted)


@pytest.mark.parametrize("binary", BINARIES, ids=VERSIONS)
def test_keys_are_the_same_after_the_drill_however_full_it_is(
    look: Look, serve: Serve, binary: str
) -> None:
    """With room, at 99 % and beyond its limit, by each policy: what evicts is not written to."""
    server = filled(serve, binary)
    before = state_of(server)

    for policy in POLICIES:
        server.admin.config_set("maxmemory-policy", policy)
        for share in (0.5, 0.99):
            used = server.admin.info("memory")["used_memory"]
            server.admin.config_set("maxmemory", int(used / share))
            found = look(server.url())
            (node,) = found.stage.nodes
            is_safe = share < 0.95 or policy == "noeviction"
            assert node.facts.write == ("ok" if is_safe else "not tried"), (policy, share)
            assert ("could evict live keys" in node.not_tried) != is_safe
            found.undo()
    server.admin.config_set("maxmemory-policy", "noeviction")
    server.admin.config_set("maxmemory", 1_000_000)
    full = look(server.url())
    assert "is full and evicts nothing" in full.write_fault
    full.undo()

    server.admin.config_set("maxmemory", 0)
    assert state_of(server) == before


def test_one_connection_is_all_that_a_drill_opens(drill: Drill, serve: Serve) -> None:
    """It is closed at the end."""
    server = serve()
    stats = server.admin.info("stats")

    run = drill(REDIS_URL=server.url())

    assert run.exit_code == 0, run.output
    after = server.admin.info("stats")
    assert after["total_connections_received"] - stats["total_connections_received"] == 1
    assert server.admin.info("clients")["connected_clients"] == 1

"""Healthy data of Redis that must stay green, and come back whole."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import redis
from tests.helpers.redis_backups import fill_shop
from tests.helpers.redis_servers import Redis

Fill = Callable[[Redis], None]


def each(write: Callable[[redis.client.Pipeline], object]) -> Fill:
    """What `write` puts into a pipeline."""

    def fill(server: Redis) -> None:
        pipe = server.admin.pipeline(transaction=False)
        write(pipe)
        pipe.execute()

    return fill


def many_databases(server: Redis) -> None:
    """A key in each of sixteen."""
    for number in range(16):
        with closing(redis.Redis("127.0.0.1", server.port, db=number)) as client:
            client.set(f"key:{number}", number)


def binary(server: Redis) -> None:
    """Keys and values of any bytes."""
    with closing(redis.Redis("127.0.0.1", server.port)) as client:
        for number in range(256):
            client.set(bytes([number, 0, 10, 13]), bytes(range(256)))


def groups(pipe: redis.client.Pipeline) -> None:
    """Streams with groups, consumers, and entries that are pending."""
    for number in range(300):
        pipe.xadd("stream", {"number": number})
    pipe.xgroup_create("stream", "readers", 0)
    pipe.xreadgroup("readers", "one", {"stream": ">"}, count=50)
    pipe.xtrim("stream", maxlen=100, approximate=False)
    pipe.xgroup_create("empty", "readers", mkstream=True)


def functions(server: Redis) -> None:
    """A library, and a key."""
    server.admin.function_load(
        "#!lua name=lib\nredis.register_function('f', function() return 1 end)"
    )
    server.admin.set("key", "1")


def million(server: Redis) -> None:
    """A million keys; made by the server itself, which takes longer than a client may wait."""
    with closing(redis.Redis("127.0.0.1", server.port, socket_timeout=300)) as client:
        client.execute_command("DEBUG", "POPULATE", 1_000_000, "key", 20)  # type: ignore[no-untyped-call]


HEALTHY: dict[str, Fill] = {
    "all types": fill_shop,
    "one key": each(lambda p: p.set("a", "b")),
    "many databases": many_databases,
    "any bytes": binary,
    "streams with groups": each(groups),
    "functions": functions,
    "big values": each(lambda p: [p.set(f"big:{n}", "x" * 5_000_000) for n in range(3)]),
    "a big hash": each(lambda p: p.hset("hash", mapping={f"f{n}": "v" * 90 for n in range(5000)})),
    "a big list": each(lambda p: p.rpush("list", *(f"{n}" * 20 for n in range(5000)))),
    "a big sorted set": each(lambda p: p.zadd("z", {f"m{n}": n / 3 for n in range(5000)})),
    "scores of all kinds": each(
        lambda p: p.zadd("z", {"a": float("inf"), "b": float("-inf"), "c": 0.1, "d": -0.0})
    ),
    "sets of numbers": each(lambda p: [p.sadd(f"s{w}", *range(0, 400 * w, w)) for w in (1, 10**5)]),
    "numbers as values": each(lambda p: [p.set(f"n{n}", 2**n) for n in range(64)]),
    "bitmaps and HyperLogLog": each(
        lambda p: [p.setbit("bits", 100_000, 1), p.pfadd("hll", *range(5000))]
    ),
    "places": each(lambda p: p.geoadd("geo", (13.36, 38.11, "Palermo"))),
    "TTLs of all lengths": each(
        lambda p: [p.set(f"t{n}", n, ex=3600 * n + 60) for n in range(500)]
    ),
    "TTLs that have run out": each(
        lambda p: [p.set(f"t{n}", n, px=1 + 400 * (n % 2)) for n in range(50)] + [p.set("stays", 1)]
    ),
    "names of all lengths": each(lambda p: [p.set("k" * n, n) for n in range(1, 20_000, 700)]),
    "values that compress": each(lambda p: [p.set(f"c{n}", "abc" * 500) for n in range(200)]),
    "unicode": each(lambda p: [p.hset(f"überweisung:{n}", "größe", "ßöäü€") for n in range(50)]),
    "empty values": each(lambda p: [p.set("empty", ""), p.hset("h", "", "")]),
    "a million keys": million,
}

"""The drill's own keys: under one random prefix, each with a TTL, deleted by name at the end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from restore_drill.redis.connection import Server
from restore_drill.redis.faults import PREFIX, explain

TTL = 30_000
"""Milliseconds after which a key is gone even where the drill was killed."""

CLUSTER_TRIES = 256
"""Random prefixes to try until one falls to the cluster node that is asked."""


def random_prefix() -> str:
    """Make a prefix of this run; the braces keep all its keys on one node of a cluster."""
    return f"{PREFIX}{{{secrets.token_hex(8)}}}:"


@dataclass
class OwnKeys:
    """Keys of this run on `server`; `written` holds the full names of those that may be there.

    No other key is ever named in a command. Errors are raised as a `DrillError`.
    """

    server: Server
    prefix: str = field(default_factory=random_prefix)
    written: set[str] = field(default_factory=set)

    def probe(self) -> None:
        """Write one key, in a cluster under a prefix that falls to the node that is asked."""
        import redis  # noqa: PLC0415 - loads slowly

        with self.explaining("writing a key"):
            for _ in range(CLUSTER_TRIES):
                with suppress(redis.exceptions.MovedError):
                    return self.write("probe", "drill", TTL)
                self.prefix = random_prefix()
            return self.write("probe", "drill", TTL)

    def put(self, name: str, value: str = "drill", *, ttl: int = TTL) -> None:
        """Write the key `name` for `ttl` milliseconds."""
        with self.explaining("writing a key"):
            self.write(name, value, ttl)

    def write(self, name: str, value: str, ttl: int) -> None:
        """SET with NX and PX in one command: never over a key that is there, never without end."""
        import redis  # noqa: PLC0415 - loads slowly

        key = self.prefix + name
        self.written.add(key)
        try:
            done = self.server.client.set(key, value, nx=True, px=ttl)
        except redis.ResponseError:
            self.written.discard(key)
            raise
        if not done:
            self.written.discard(key)
            raise redis.RedisError(f"{key} already exists")

    def get(self, name: str) -> str | None:
        """Value of the key `name`."""
        with self.explaining("reading a key"):
            value = self.server.client.get(self.prefix + name)
        return None if value is None else str(value)

    def exists(self, name: str) -> bool:
        """Whether the key `name` is there."""
        with self.explaining("looking for a key"):
            return bool(self.server.client.exists(self.prefix + name))

    def delete(self, name: str) -> int:
        """Delete the key `name`; how many keys that were."""
        with self.explaining("deleting a key"):
            return self.server.client.delete(self.prefix + name)

    def vanishes(self, name: str, *, within: float) -> bool:
        """Whether the key `name` goes away by itself within so many seconds."""
        deadline = time.monotonic() + within
        while self.exists(name):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def clean(self) -> None:
        """Delete all keys of this run by name; one that cannot be deleted goes by its TTL."""
        import redis  # noqa: PLC0415 - loads slowly

        for key in sorted(self.written):
            with suppress(redis.RedisError):
                self.server.client.delete(key)
        self.written.clear()

    @contextmanager
    def explaining(self, doing: str) -> Iterator[None]:
        """Raise an error of Redis as one of the drill."""
        import redis  # noqa: PLC0415 - loads slowly

        try:
            yield
        except redis.RedisError as error:
            raise explain(error, self.server, doing) from None

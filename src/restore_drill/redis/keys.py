"""The drill's own keys: under one random prefix, each with a TTL, deleted by name at the end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from restore_drill.redis.connection import Server
from restore_drill.redis.faults import PREFIX, explain

TTL = 30_000
"""Milliseconds after which a key is gone even where the drill was killed."""

CLUSTER_TRIES = 256
"""Random prefixes to try until one falls to the cluster node that is asked."""
SLOT_TRIES = 500_000
"""The same where its slots are known: one slot of 16,384 is hit in 16,384 tries on average."""


def random_prefix(slots: Sequence[tuple[int, int]] = ()) -> str:
    """Make a prefix of this run, which falls into `slots` where they are given.

    The braces keep all its keys on one node of a cluster.
    """
    for _ in range(SLOT_TRIES if slots else 1):
        tag = secrets.token_hex(8)
        if not slots or falls_to(tag, slots):
            break
    return f"{PREFIX}{{{tag}}}:"


def falls_to(tag: str, slots: Sequence[tuple[int, int]]) -> bool:
    """Whether keys with this hash tag lie in `slots`, ranges with both their ends."""
    from redis.crc import key_slot  # noqa: PLC0415 - loads slowly

    slot = key_slot(tag.encode())
    return any(first <= slot <= last for first, last in slots)


@dataclass
class OwnKeys:
    """Keys of this run on `server`; `written` holds the full names of those that may be there.

    No other key is ever named in a command. Errors are raised as a `DrillError`.
    """

    server: Server
    prefix: str = ""
    written: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Choose the prefix."""
        self.prefix = self.prefix or random_prefix(self.server.slots)

    def probe(self) -> None:
        """Write one key, in a cluster under a prefix that falls to the node that is asked.

        A slot that is moving to another node takes no new key here: MOVED and ASK name that one.
        """
        import redis  # noqa: PLC0415 - loads slowly

        with self.explaining("writing a key"):
            for _ in range(CLUSTER_TRIES):
                with suppress(redis.exceptions.AskError):
                    return self.write("probe", "drill", TTL)
                self.prefix = random_prefix(self.server.slots)
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

    def increment(self, name: str) -> int:
        """Add one to the number in the key `name`, which is there; the number then.

        redis-py's own `incr` sends INCRBY, for which a user needs another right.
        """
        ask: Callable[..., Any] = self.server.client.execute_command
        with self.explaining("counting in a key"):
            return int(ask("INCR", self.prefix + name))

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
        """Delete all keys of this run by name; one that cannot be deleted goes by its TTL.

        A server that does not answer any more is not asked again: each time would take seconds.
        """
        import redis  # noqa: PLC0415 - loads slowly

        with suppress(redis.RedisError):
            for key in sorted(self.written):
                with suppress(redis.ResponseError):
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

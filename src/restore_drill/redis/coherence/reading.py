"""What is read from a Redis: names of keys in large batches, and one value of each.

SCAN, SELECT, GET, HGET and EXISTS alone: nothing is written, and no step keeps others waiting for
more than a moment. All commands of a batch go in one message: a million keys took 1.5 s, and as
many values 2 s, where a round trip for each took 117 s.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from restore_drill.core.units import show_duration
from restore_drill.redis.protocol import command, word

if TYPE_CHECKING:
    import redis

AT_ONCE = 1000
"""Keys that one SCAN looks at: some tenths of a millisecond of the server's time."""
MOST_BYTES = 8_000_000
"""Bytes of values from which on the next batch asks for fewer."""


class TooMuch(Exception):
    """There is more than what may be compared; it says what."""


@dataclass(frozen=True)
class Limits:
    """So many keys, so many bytes of them for the database, and so many seconds at most.

    `query` are those of one comparison in the database.
    """

    keys: int = 50_000_000
    size: int = 4_000_000_000
    seconds: float = 600.0
    query: float = 30.0


class WrongType:
    """In the place of a value: the key is of a type that has none."""


WRONG_TYPE = WrongType()
Value = bytes | None | WrongType


class Reader:
    """A connection to one server, in one database of it."""

    def __init__(self, connection: Any) -> None:
        """Over this connection, which nobody else uses."""
        self.connection = connection
        self.at_once = AT_ONCE

    def ask(self, commands: Sequence[bytes]) -> list[Any]:
        """The answer to each of `commands`, which are sent at once; raises redis.RedisError."""
        import redis  # noqa: PLC0415 - loads slowly

        self.connection.send_packed_command([b"".join(commands)])
        answers, errors = [], []
        for _ in commands:
            try:
                answers.append(self.connection.read_response(disable_decoding=True))
            except redis.ResponseError as error:
                answers.append(WRONG_TYPE)
                errors += [] if str(error).startswith("WRONGTYPE") else [error]
        if errors:
            raise errors[0]
        return answers

    def leave_untouched(self) -> None:
        """Have no key that is read count as used, which decides what a full server evicts.

        Servers before Redis 7.2 do not know that, and a user may not be allowed to ask for it.
        """
        import redis  # noqa: PLC0415 - loads slowly

        with suppress(redis.ResponseError):
            self.ask([command(b"CLIENT", b"NO-TOUCH", b"ON")])

    def keys(self, glob: bytes) -> Iterator[list[bytes]]:
        """All keys like `glob`, some at a time; one that was there throughout comes for sure."""
        cursor = b"0"
        while True:
            words = (b"SCAN", cursor, b"MATCH", glob, b"COUNT", b"%d" % AT_ONCE)
            ((cursor, found),) = self.ask([command(*words)])
            if found:
                yield found
            if cursor == b"0":
                return

    def values(self, keys: Sequence[bytes], field: bytes) -> tuple[list[Value], set[bytes]]:
        """The `field` of each of `keys`, without one its whole value; and those that are gone now.

        None is for one that has no such field.
        """
        found: list[Value] = []
        before, behind = (b"*3\r\n$4\r\nHGET", word(field)) if field else (b"*2\r\n$3\r\nGET", b"")
        asked = [b"%b\r\n$%d\r\n%b\r\n%b" % (before, len(key), key, behind) for key in keys]
        while len(found) < len(keys):
            answers = self.ask(asked[len(found) : len(found) + self.at_once])
            size = sum(len(each) for each in answers if isinstance(each, bytes))
            self.at_once = max(1, self.at_once // 2) if size > MOST_BYTES else self.at_once
            found += answers
        lacking = [key for key, value in zip(keys, found, strict=True) if value is None]
        there = self.ask([command(b"EXISTS", key) for key in lacking]) if lacking else []
        return found, {key for key, exists in zip(lacking, there, strict=True) if not exists}


@contextmanager
def reading(client: redis.Redis, database: int | None) -> Iterator[Reader]:
    """Reader of a database of the server behind `client`; None for that of the client."""
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        reader = Reader(connection)
        reader.leave_untouched()
        if database is not None:
            reader.ask([command(b"SELECT", b"%d" % database)])
        yield reader
    finally:
        connection.disconnect()  # type: ignore[no-untyped-call]  # it may be in another database, or in the middle of an answer
        pool.release(connection)


def batches(
    clients: Sequence[redis.Redis], database: int | None, glob: bytes, limits: Limits
) -> Iterator[tuple[Reader, list[bytes]]]:
    """Keys like `glob` on all of `clients`, the shards of a cluster, with the reader of each.

    Raises TooMuch.
    """
    until, count = time.monotonic() + limits.seconds, 0
    for client in clients:
        with reading(client, database) as reader:
            for keys in reader.keys(glob):
                count += len(keys)
                if count > limits.keys:
                    raise TooMuch(f"there are more than {limits.keys:,} keys")
                if time.monotonic() > until:
                    within = show_duration(limits.seconds)
                    raise TooMuch(f"there are more keys than can be read within {within}")
                yield reader, keys

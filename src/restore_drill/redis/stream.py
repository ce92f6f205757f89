"""The data of the user's own Redis as an RDB file: what it sends to a replica, and no more.

It needs a user with `+psync +sync +replconf +ping` alone, writes nothing there, and keeps others
waiting for the fork that each save needs. The server makes the file: nothing is read key by key.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration
from restore_drill.redis.asking import hello
from restore_drill.redis.connection import client_of, server_of
from restore_drill.redis.faults import explain
from restore_drill.redis.own.address import address_of
from restore_drill.redis.protocol import command

if TYPE_CHECKING:
    import socket

    from restore_drill.redis.connection import Server


class Refused(CouldNotRun):
    """The server lets nobody have its data by replication: it may be asked in another way."""


RIGHTS = "+psync +sync +replconf +ping"
SILENCE = 60.0
"""Seconds without a byte after which waiting ends: while it saves, a server sends newlines."""
PIECE = 1 << 16
LONGEST_LINE = 4096
SIZED, MARKED = re.compile(rb"\$(\d+)"), re.compile(rb"\$EOF:(.{40})", re.DOTALL)


class Wire:
    """Bytes of a connection: lines first, and then the file."""

    def __init__(self, raw: socket.socket) -> None:
        """Read `raw`."""
        self.raw, self.rest = raw, b""

    def more(self) -> bytes:
        """What has come; CouldNotRun where the connection ends."""
        if self.rest:
            data, self.rest = self.rest, b""
            return data
        try:
            data = self.raw.recv(PIECE)
        except (TimeoutError, ssl.SSLError, OSError) as error:
            is_late = isinstance(error, TimeoutError)
            why = f"no byte came for {show_duration(SILENCE)}" if is_late else type(error).__name__
            raise broken_off(why) from None
        if not data:
            raise broken_off("it closed the connection")
        return data

    def line(self) -> bytes:
        """The next line that is not empty."""
        text = b""
        while b"\n" not in text or not text.strip():
            text = text.lstrip(b"\r\n") + self.more()
            if len(text) > LONGEST_LINE and b"\n" not in text:
                raise broken_off("its answer is not Redis")
        line, _, self.rest = text.partition(b"\n")
        return line.strip(b"\r")

    def ask(self, *words: str) -> bytes:
        """Send a command, and give the first line of the answer."""
        self.raw.sendall(command(*(each.encode() for each in words)))
        return self.line()


def broken_off(why: str) -> CouldNotRun:
    """The file did not come whole."""
    return CouldNotRun(
        f"no backup of Redis was taken: it did not send all of its data ({why})",
        remedy=remedy_for("redis_taking", "broken_off"),
    )


@contextmanager
def own_server(url: str) -> Iterator[Server]:
    """The one server at `url`; CouldNotRun where that names Sentinels or a cluster."""
    import redis  # noqa: PLC0415 - loads slowly

    address = address_of(url)
    if address.sentinels:
        raise several("Sentinels")
    server = server_of(client_of(address.url), own=True)
    with closing(server.client):
        try:
            mode = hello(server.client).get("mode")
        except redis.ConnectionError as error:
            raise could_not(error, server) from None
        if mode == "cluster":
            raise several("a cluster")
        yield server


def several(what: str) -> CouldNotRun:
    """REDIS_URL names more than one server, and each sends its own data alone."""
    return CouldNotRun(
        f"no backup of Redis was taken: REDIS_URL names {what}, not a single server",
        remedy=remedy_for("redis_taking", "several"),
    )


def could_not(error: Any, server: Server, kind: type[CouldNotRun] = CouldNotRun) -> CouldNotRun:
    """An error of Redis while its data were asked for."""
    found = explain(error, server, "asking for its data (SYNC)")
    if "NoPermission" in type(error).__name__:
        found.remedy = remedy_for("redis_taking", "rights", rights=RIGHTS)
    return kind(
        f"no backup of Redis was taken: {found.what}",
        checked=found.checked,
        remedy=found.remedy,
    )


@contextmanager
def sent_by(server: Server) -> Iterator[Iterator[bytes]]:
    """The RDB file that `server` sends, in pieces; they raise CouldNotRun where it is not whole."""
    import redis  # noqa: PLC0415 - loads slowly

    pool = server.client.connection_pool
    options = dict(pool.connection_kwargs) | {"db": 0, "socket_timeout": SILENCE}
    connection = pool.connection_class(**options)
    try:
        connection.connect()
        raw = connection._sock  # noqa: SLF001 - redis-py has no words for what is no answer
        raw.settimeout(SILENCE)
        wire = Wire(raw)
        wire.ask("REPLCONF", "rdb-only", "1")  # servers before 7.0 refuse it, and go on sending
        yield file_in(wire, server)
    except redis.RedisError as error:
        raise could_not(error, server) from None
    finally:
        connection.disconnect()


def file_in(wire: Wire, server: Server) -> Iterator[bytes]:
    """The file behind the answer to SYNC."""
    import redis  # noqa: PLC0415 - loads slowly

    line = wire.ask("SYNC")
    if line.startswith(b"-"):
        text = line[1:].decode("utf-8", "replace")
        is_denied = text.startswith("NOPERM")
        kind = redis.exceptions.NoPermissionError if is_denied else redis.ResponseError
        raise could_not(kind(text), server, Refused)
    if sized := SIZED.fullmatch(line):
        yield from sized_file(wire, int(sized[1]))
    elif marked := MARKED.fullmatch(line):
        yield from marked_file(wire, marked[1])
    else:
        raise broken_off("its answer is not a file")


def sized_file(wire: Wire, size: int) -> Iterator[bytes]:
    """A file of so many bytes."""
    while size:
        data = wire.more()[:size]
        size -= len(data)
        yield data


def marked_file(wire: Wire, mark: bytes) -> Iterator[bytes]:
    """A file that ends with `mark`, which no data hold."""
    held = b""
    while True:
        held += wire.more()
        if mark in held:
            yield held[: held.index(mark)]
            return
        if len(held) > len(mark):
            yield held[: -len(mark)]
            held = held[-len(mark) :]

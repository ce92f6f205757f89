"""The data of the user's own Redis on their way to the backup: by replication, or as its file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from restore_drill.backups.reading import Reading
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.redis.backup.header import HEAD_BYTES, Header, header_in
from restore_drill.redis.saving import saved_by
from restore_drill.redis.stream import Refused, sent_by
from restore_drill.taking.recipients import Seal
from restore_drill.taking.redis_memory import InMemory

if TYPE_CHECKING:
    from restore_drill.redis.connection import Server

PIECE = 1 << 20
END = 0xFF
"""Begins the end of a file; its checksum has eight bytes behind it."""
END_BYTES = 9
Progress = Callable[[str], None]


@dataclass
class Sent:
    """What has come so far: its begin and end, its bytes, and the digest of what was written.

    `by` says how it was taken, `notes` are lines about that for people. `plain` keeps all of it
    where what is written is not that.
    """

    head: bytes = b""
    tail: bytes = b""
    size: int = 0
    written: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    by: str = "replication"
    notes: list[str] = field(default_factory=list)
    plain: InMemory | None = None

    @property
    def header(self) -> Header:
        """The begin of the file; CouldNotRun where it is none of an RDB file."""
        found = header_in(self.head)
        if found is None or self.tail[-END_BYTES : -END_BYTES + 1] != bytes([END]):
            raise CouldNotRun(
                "no backup of Redis was taken: what it sent is not a complete RDB file",
                remedy=remedy_for("redis_taking", "broken_off"),
            )
        return found


class Sending(Reading):
    """A stream of pieces, for what encrypts one."""

    def __init__(self, pieces: Iterator[bytes], sent: Sent) -> None:
        """Read `pieces`, and note in `sent` what goes by."""
        self.pieces, self.sent, self.rest = pieces, sent, b""

    def give(self, size: int) -> bytes:
        """At most so many bytes."""
        if not self.rest:
            self.rest = next(self.pieces, b"")
            self.sent.head += self.rest[: max(HEAD_BYTES - len(self.sent.head), 0)]
            self.sent.tail = (self.sent.tail + self.rest)[-END_BYTES:]
            self.sent.size += len(self.rest)
            if self.sent.plain:
                self.sent.plain.add(self.rest)
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


@contextmanager
def data_of(
    server: Server, bgsave: str | None, sent: Sent, progress: Progress
) -> Iterator[Iterator[bytes]]:
    """What `server` sends as to a replica; where it refuses that, the file that it saves.

    It is asked to save only with `bgsave`, which names the file where that is not empty.
    """
    with ExitStack() as stack:
        try:
            pieces = stack.enter_context(sent_by(server))
            first = next(pieces, b"")
        except Refused as error:
            if bgsave is None:
                raise
            sent.by, first = "BGSAVE", b""
            sent.notes.append("taken by BGSAVE, because replication was refused")
            try:
                pieces = stack.enter_context(saved_by(server, bgsave, sent.notes.append, progress))
            except CouldNotRun as second:
                raise CouldNotRun(
                    f"{error.what}; and by BGSAVE: {second.what}",
                    checked=[*error.checked, *second.checked],
                    remedy=[*second.remedy, *error.remedy],
                ) from None
        yield chain([first] if first else [], pieces)


def written(source: Sending, sent: Sent, seal: Seal | None, progress: Progress) -> Iterator[bytes]:
    """What is written of `source`: encrypted by `seal`, counted; it ends once the file is whole."""
    plain = io.BufferedReader(source, PIECE)
    with seal.open(plain) if seal else nullcontext(plain) as stream:
        yield from counted(stream, sent, progress)
    _ = sent.header


def counted(stream: IO[bytes], sent: Sent, progress: Progress) -> Iterator[bytes]:
    """All of `stream`."""
    while piece := stream.read(PIECE):
        sent.digest.update(piece)
        sent.written += len(piece)
        progress(f"Redis: {show_bytes(sent.written)} written")
        yield piece

"""`backup --with-redis`: an RDB file of the user's own Redis, taken before the dump.

Before, since a key that is older than its row is a miss or stale, and one that is newer than all
rows speaks of what no restored table has.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

from restore_drill.backups.reading import Reading
from restore_drill.config.options import usage_error
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_duration
from restore_drill.redis.backup.header import HEAD_BYTES, Header, header_in
from restore_drill.redis.stream import own_server, sent_by
from restore_drill.selection.tree import REDIS
from restore_drill.taking.destination import INNER, Destination, Folder
from restore_drill.taking.recipients import Seal

PIECE = 1 << 20
END = 0xFF
"""Begins the end of a file; its checksum has eight bytes behind it."""
END_BYTES = 9


@dataclass
class Sent:
    """What has come so far: its begin and end, its bytes, and the digest of what was written."""

    head: bytes = b""
    tail: bytes = b""
    size: int = 0
    written: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    @property
    def header(self) -> Header:
        """The begin of the file; CouldNotRun where it is none of an RDB file."""
        found = header_in(self.head)
        if found is None or self.tail[-END_BYTES : -END_BYTES + 1] != bytes([END]):
            raise CouldNotRun(
                "no backup of Redis was taken: what it sent is no whole RDB file",
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
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


@dataclass(frozen=True)
class TakenRedis:
    """A backup of Redis that was taken; `path` as users write it, `taken_at` is its fork."""

    path: str
    taken_at: datetime
    sent: Sent


def beside_dumps(place: Destination) -> Destination:
    """The folder `redis/` beside that of the dumps: in BACKUP_PATH, where drills look for it."""
    if isinstance(place, Folder):
        around = place.path.parent if place.path.name == INNER else place.path
        return Folder(around / REDIS)
    from restore_drill.taking.bucket import BucketFolder  # noqa: PLC0415 - most places are folders

    assert isinstance(place, BucketFolder)
    return place.beside(REDIS, INNER)


def take_redis(
    url: str | None, dumps: Destination, seal: Seal | None, progress: Callable[[str], None]
) -> TakenRedis:
    """Take the data of the Redis at `url` into the folder beside the `dumps`; CouldNotRun.

    The data come first, then the `.sha256` and what is known of them. Nothing is left where that
    fails or is interrupted; nothing is written in Redis.
    """
    if url is None:
        raise usage_error("redis_url", "is unset", "set it, or leave out --with-redis")
    place, sent = beside_dumps(dumps), Sent()
    name = f"redis_{datetime.now(UTC):%Y%m%d_%H%M%S}.rdb" + (seal.suffix if seal else "")
    with own_server(url) as server, place.writing(name, 1 << 30) as add:
        with sent_by(server) as pieces:
            add(name, written(Sending(pieces, sent), sent, seal, progress))
        header = sent.header
        taken_at = header.made_at or datetime.now(UTC)
        add(f"{name}.sha256", [f"{sent.digest.hexdigest()}  {name}\n".encode()])
        add(f"{name}.manifest.json", [described(name, header, taken_at, sent).encode()])
    return TakenRedis(place.shown.rstrip("/") + f"/{name}", taken_at, sent)


def written(
    source: Sending, sent: Sent, seal: Seal | None, progress: Callable[[str], None]
) -> Iterator[bytes]:
    """What is written of `source`: encrypted by `seal`, counted; it ends once the file is whole."""
    plain = io.BufferedReader(source, PIECE)
    with seal.open(plain) if seal else nullcontext(plain) as stream:
        yield from counted(stream, sent, progress)
    _ = sent.header


def counted(stream: IO[bytes], sent: Sent, progress: Callable[[str], None]) -> Iterator[bytes]:
    """All of `stream`."""
    while piece := stream.read(PIECE):
        sent.digest.update(piece)
        sent.written += len(piece)
        progress(f"Redis: {show_bytes(sent.written)} written")
        yield piece


def described(name: str, header: Header, taken_at: datetime, sent: Sent) -> str:
    """What is known of the backup, as JSON."""
    facts = {
        "schema": 1,
        "kind": "redis",
        "backup": {"name": name, "bytes": sent.written, "sha256": sent.digest.hexdigest()},
        "rdb": {"version": header.version, "bytes": sent.size, "written_by": header.written_by},
        "taken_at": taken_at.isoformat(),
        "order": "before the dump",
    }
    return json.dumps(facts, indent=2) + "\n"


def report_redis(taken: TakenRedis, dumped_at: datetime, note: Callable[[str], None]) -> None:
    """Say what was taken, and how far it is from the dump."""
    note(f"backup of Redis: {taken.path}")
    note(f"  RDB, {show_bytes(taken.sent.size)}, SHA-256 {taken.sent.digest.hexdigest()}")
    apart = max((dumped_at - taken.taken_at).total_seconds(), 0)
    note(f"  {show_duration(apart)} before the snapshot of the dump: its keys are older than rows")

"""`backup --with-redis`: an RDB file of the user's own Redis, taken before the dump.

Before, since a key that is older than its row is a miss or stale, and one that is newer than all
rows speaks of what no restored table has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restore_drill.config.options import usage_error
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.units import show_bytes, show_count, show_duration
from restore_drill.manifest.file import SUFFIX
from restore_drill.manifest.redis import RedisBefore
from restore_drill.redis.stream import own_server
from restore_drill.selection.tree import REDIS
from restore_drill.taking.destination import INNER, Destination, Folder
from restore_drill.taking.recipients import Seal
from restore_drill.taking.redis_known import as_text, described
from restore_drill.taking.redis_memory import InMemory
from restore_drill.taking.redis_sent import Sending, Sent, data_of, written

BESIDE = (".sha256", SUFFIX, ".part")
"""How names end of what lies beside a backup."""


@dataclass(frozen=True)
class TakenRedis:
    """A backup of Redis that was taken; `path` as users write it, `taken_at` is its fork.

    It lies in `place` as `name`; `facts` are what its manifest says so far. `file` is where it can
    be read as it is: neither encrypted nor on another machine.
    """

    path: str
    taken_at: datetime
    sent: Sent
    place: Destination
    name: str
    facts: dict[str, Any]
    file: Path | None = None

    @property
    def before(self) -> RedisBefore:
        """What the manifest of the dump says of it."""
        name = self.path.rpartition("/")[2]
        return RedisBefore(name, self.sent.digest.hexdigest(), self.taken_at)


def beside_dumps(place: Destination) -> Destination:
    """The folder `redis/` beside that of the dumps: in BACKUP_PATH, where drills look for it."""
    if isinstance(place, Folder):
        around = place.path.parent if place.path.name == INNER else place.path
        return Folder(around / REDIS)
    from restore_drill.taking.bucket import BucketFolder  # noqa: PLC0415 - most places are folders

    assert isinstance(place, BucketFolder)
    return place.beside(REDIS, INNER)


def take_redis(
    url: str | None,
    dumps: Destination,
    seal: Seal | None,
    progress: Callable[[str], None],
    bgsave: str | None = None,
) -> TakenRedis:
    """Take the data of the Redis at `url` into the folder beside the `dumps`; CouldNotRun.

    With `bgsave`, see `data_of`, it may be asked to save. The data come first, then the `.sha256`
    and what is known of them. Nothing is left where that fails or is interrupted; nothing is
    written in Redis.
    """
    if url is None:
        raise usage_error("redis_url", "is unset", "set it, or leave out --with-redis")
    place = beside_dumps(dumps)
    is_plain = isinstance(place, Folder) and seal is None
    sent = Sent(plain=None if is_plain else InMemory())
    name = f"redis_{datetime.now(UTC):%Y%m%d_%H%M%S}.rdb" + (seal.suffix if seal else "")
    with ExitStack() as stack:
        if sent.plain:
            stack.callback(sent.plain.close)
        with own_server(url) as server, place.writing(name, 1 << 30) as add:
            with data_of(server, bgsave, sent, progress) as pieces:
                add(name, written(Sending(pieces, sent), sent, seal, progress))
            taken_at = sent.header.made_at or datetime.now(UTC)
            add(f"{name}.sha256", [f"{sent.digest.hexdigest()}  {name}\n".encode()])
            facts = described(name, sent.header, taken_at, sent)
            if isinstance(place, Folder):
                add(f"{name}{SUFFIX}", [as_text(facts)])
        stack.pop_all()
    file = place.path / name if isinstance(place, Folder) and is_plain else None
    path = place.shown.rstrip("/") + f"/{name}"
    return TakenRedis(path, taken_at, sent, place, name, facts, file)


def report_redis(taken: TakenRedis, dumped_at: datetime, note: Callable[[str], None]) -> None:
    """Say what was taken, and how far it is from the dump."""
    note(f"backup of Redis: {taken.path}")
    note(f"  RDB, {show_bytes(taken.sent.size)}, SHA-256 {taken.sent.digest.hexdigest()}")
    for line in taken.sent.notes:
        note(f"  {line}")
    apart = max((dumped_at - taken.taken_at).total_seconds(), 0)
    note(f"  {show_duration(apart)} before the dump, so that no key is newer than the rows")


def left_alone(dumps: Destination) -> Iterator[str]:
    """A line on the backups of Redis beside the `dumps`, where there are any: none is deleted."""
    place = beside_dumps(dumps)
    try:
        sizes = [size for name, size in place.entries().items() if not name.endswith(BESIDE)]
    except CouldNotRun:  # it can only be written to
        return
    if sizes:
        yield (
            f"--keep deletes no backup of Redis: {show_count(len(sizes), 'file')}, "
            f"{show_bytes(sum(sizes))}, in {place.shown}"
        )

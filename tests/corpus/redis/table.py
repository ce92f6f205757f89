"""The table of damaged backups of Redis, each with both families of servers; and healthy ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import redis
from restore_drill.core.errors import BackupFault, CouldNotRun
from tests.corpus.redis.damages import EITHER, OF_AOF, OF_RDB, RED, TOLD, OfAof, OfRdb
from tests.corpus.redis.healthy import HEALTHY
from tests.helpers.redis_backups import (
    FAMILIES,
    Fill,
    appended,
    lay_out,
    restored,
    saved,
    scratch,
    writer,
)


def seen_of(content: bytes | dict[str, bytes]) -> tuple[str, str]:
    """What a drill of a backup comes to, `red`, `told` or `green`, and its words."""
    with scratch() as folder:
        name = "appendonlydir" if isinstance(content, dict) else "dump.rdb"
        try:
            with restored(lay_out(content, folder / name)) as found:
                if not found.keys:
                    return RED, "empty"
                return (TOLD, found.file.doubts[0]) if found.file.doubts else ("green", "")
        except (BackupFault, CouldNotRun, AssertionError) as error:
            return RED, str(error).splitlines()[0]


def of_rdb(damage: OfRdb, family: str) -> bytes:
    """An RDB file of `family`, damaged."""
    return damage.do(saved(family))


def of_aof(damage: OfAof, family: str) -> dict[str, bytes]:
    """Append-only files of `family`, damaged."""
    return damage.do(appended(family))


def cases() -> Iterator[tuple[str, str, str, Callable[[], bytes | dict[str, bytes]]]]:
    """Family, what is damaged, what must come of it, and a function that makes it."""
    for family in sorted(FAMILIES):
        for rdb in OF_RDB:
            yield family, f"RDB: {rdb.what}", rdb.must, partial(of_rdb, rdb, family)
        for aof in OF_AOF:
            yield family, f"AOF: {aof.what}", aof.must, partial(of_aof, aof, family)


def damaged() -> Generator[str, None, bool]:
    """A line on each damage that is not as it must be, and how many there were."""
    count = good = 0
    for family, what, must, make in cases():
        seen, words = seen_of(make())
        count += 1
        is_good = seen in (RED, TOLD) if must == EITHER else seen == must
        good += is_good
        if not is_good:
            yield f"{family}, {what}: {seen}, must be {must}; {words}"
    yield f"damaged backups of Redis: {good} of {count} red or told as they must be"
    return good == count


def healthy() -> Generator[str, None, bool]:
    """A line on each healthy backup that is not whole, and how many there were."""
    count = good = 0
    for family in sorted(FAMILIES):
        for what, fill in HEALTHY.items():
            why = why_red(family, fill)
            count += 1
            good += not why
            if why:
                yield f"{family}, {what}: {why}"
    yield f"healthy backups of Redis: {good} of {count} green and whole"
    return good == count


def why_red(family: str, fill: Fill) -> str:
    """Why healthy data of `family` does not come back whole, or with another digest."""
    options = ("--enable-debug-command", "yes")
    with (
        ExitStack() as stack,
        scratch() as folder,
        writer(family, fill, *options) as (server, home),
    ):
        source = redis.Redis("127.0.0.1", server.port, decode_responses=True, socket_timeout=300)
        stack.callback(source.close)
        source.save()
        path = lay_out((home / "dump.rdb").read_bytes(), folder / "dump.rdb")
        time.sleep(0.01)
        try:
            with restored(path) as found:
                expected = {
                    int(name.removeprefix("db")): each["keys"]
                    for name, each in source.info("keyspace").items()
                }
                digests = [digest(each) for each in (source, found.server.client)]
                if found.databases != expected and not found.expired:
                    return f"{found.databases}, the source has {expected}"
                return "" if digests[0] == digests[1] or found.expired else "another digest"
        except (BackupFault, CouldNotRun, AssertionError) as error:
            return str(error).splitlines()[0]


def digest(client: object) -> str:
    """DEBUG DIGEST of all data."""
    return str(client.execute_command("DEBUG", "DIGEST"))  # type: ignore[attr-defined]


def table(_folder: Path) -> Generator[str, None, bool]:
    """All of it."""
    first = yield from damaged()
    second = yield from healthy()
    return first and second

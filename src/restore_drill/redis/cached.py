"""Cached objects in the user's own Redis: counted by pattern, and never touched.

After a recovery they may be newer than the rows. Which keys are copies of rows only the user knows.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from restore_drill.core.units import show_count
from restore_drill.redis.facts import permitted

if TYPE_CHECKING:
    import redis

SECONDS = 2.0
"""So long are the keys of a pattern counted at most: SCAN goes through all keys."""
REMOVE = "{0} --scan --pattern {1} | tr '\\n' '\\0' | xargs -0 {0} unlink"
"""What the user may run, and no drill does. Names of keys may hold blanks and quotes."""
WHERE = re.compile(r"\[?(?P<host>[^\]]+)\]?:(?P<port>\d+)/(?P<database>\d+)")
AT_ONCE = 1000
"""Keys that one SCAN looks at: some tenths of a millisecond of the server's time."""


def count_cached(
    client: redis.Redis, patterns: Sequence[str], skip: Callable[[str, str], None]
) -> list[dict[str, Any]]:
    """Part `cached` of result.json: how many keys match each pattern, and whether all are counted.

    `skip(what, why)` hears of a pattern that may not be asked for.
    """
    found = []
    for pattern in patterns:
        what = f"keys like {pattern} in Redis"
        counted = permitted(partial(count, client, pattern), what, skip)
        if counted is not None:
            found.append({"pattern": pattern, "keys": counted[0], "complete": counted[1]})
    return found


def count(client: redis.Redis, pattern: str) -> tuple[int, bool]:
    """Keys that match `pattern`, and whether there was time for all of them.

    SCAN may name a key twice while the server makes room: it is counted once.
    """
    deadline = time.monotonic() + SECONDS
    seen: set[Any] = set()
    cursor: Any = 0
    while time.monotonic() < deadline:
        cursor, keys = client.scan(cursor, match=pattern, count=AT_ONCE)
        seen.update(keys)
        if not cursor:
            return len(seen), True
    return len(seen), False


def lines_on_cached(found: dict[str, Any] | None) -> Iterator[str]:
    """A line on each pattern of `found`, the Redis part of result.json, after a recovery."""
    if not found or not found.get("own"):
        return
    cached = found.get("cached", [])
    for each in cached:
        if each["keys"]:
            least = "" if each["complete"] else "at least "
            keys = f"{least}{show_count(each['keys'], 'key')} like {each['pattern']}"
            remove = REMOVE.format(client_of(found["where"]), shlex.quote(each["pattern"]))
            yield f"Redis: {keys} may be newer than the restored rows; to remove them: {remove}"
    if not cached and found.get("keys"):
        yield (
            f"Redis holds {show_count(found['keys'], 'key')}: what is cached there may be newer "
            "than the restored rows; [redis] cached in the criteria file names its patterns"
        )


def client_of(where: str) -> str:
    """redis-cli for the server at `where`; it takes the password from REDISCLI_AUTH.

    Not by REDIS_URL: redis-cli 7.0 refuses one with a password and no user.
    """
    found = WHERE.fullmatch(where)
    if found is None:
        return "redis-cli"
    return f"redis-cli -h {shlex.quote(found['host'])} -p {found['port']} -n {found['database']}"

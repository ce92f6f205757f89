"""Cached objects in the user's own Redis: counted by pattern, and never touched.

After a recovery they may be newer than the rows. Which keys are copies of rows only the user knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from restore_drill.core.units import show_count
from restore_drill.redis.asking import Skip, permitted
from restore_drill.redis.connection import Server
from restore_drill.redis.removal import removal

if TYPE_CHECKING:
    import redis

SECONDS = 2.0
"""So long are the keys of a pattern counted at most: SCAN goes through all keys."""
AT_ONCE = 1000
"""Keys that one SCAN looks at: some tenths of a millisecond of the server's time."""


def count_cached(
    servers: Sequence[Server], patterns: Sequence[str], own: str, skip: Skip
) -> list[dict[str, Any]]:
    """Part `cached` of result.json: how many keys match each pattern, and whether all are counted.

    Those that begin with `own`, the drill's, are not. `remove` is the command that removes them.
    `skip(what, why)` hears of a pattern that may not be asked for. `servers` are those of all
    shards of a cluster.
    """
    found = []
    for pattern in patterns:
        what = f"keys like {pattern} in Redis"
        counted = [
            permitted(partial(count, server.client, pattern, own), what, skip) for server in servers
        ]
        if None not in counted:
            keys = sum(number for number, _ in counted)
            complete = all(is_complete for _, is_complete in counted)
            each = {"pattern": pattern, "keys": keys, "complete": complete}
            found.append(each | together([removal(server, pattern) for server in servers]))
    return found


def together(commands: Sequence[dict[str, str | None]]) -> dict[str, str | None]:
    """One command for those of all shards; none, and why, where one cannot be expressed."""
    for each in commands:
        if each["why"]:
            return each
    return {"remove": "; ".join(str(each["remove"]) for each in commands), "why": None}


def count(client: redis.Redis, pattern: str, own: str = "") -> tuple[int, bool]:
    """Keys that match `pattern`, and whether there was time for all of them.

    Those that begin with `own` are left out, where that is given.

    SCAN may name a key twice while the server makes room: it is counted once. Names are compared
    as bytes: decoded, two that are no UTF-8 may look alike.
    """
    deadline = time.monotonic() + SECONDS
    seen: set[bytes] = set()
    cursor: Any = 0
    options = ("MATCH", pattern, "COUNT", AT_ONCE)
    ask: Callable[..., Any] = client.execute_command
    while time.monotonic() < deadline:
        cursor, keys = ask("SCAN", cursor, *options, NEVER_DECODE=True)
        seen.update(key for key in keys if not own or not key.startswith(own.encode()))
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
            remove = f"to remove them: {each['remove']}"
            if not each["remove"]:
                remove = f"no command to remove them can be shown: {each['why']}"
            yield f"Redis: {keys} may be newer than the restored rows; {remove}"
    if not cached and found.get("keys"):
        yield (
            f"Redis holds {show_count(found['keys'], 'key')}: what is cached there may be newer "
            "than the restored rows; [redis] cached in the criteria file names its patterns"
        )

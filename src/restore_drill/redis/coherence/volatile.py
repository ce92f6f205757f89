"""Keys that are expected to be stale after a recovery, as sessions and queues: no finding."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from restore_drill.core.units import show_count, show_duration
from restore_drill.redis.backup.census import tally
from restore_drill.redis.connection import Server

SECONDS = 10.0
"""So long are the keys of a pattern counted at most."""


def count_volatile(
    server: Server,
    databases: Iterable[int],
    patterns: Mapping[str, float],
    age: float | None,
) -> list[dict[str, Any]]:
    """Part `volatile` of result.json: keys of each of `patterns`, which are worth so many seconds.

    They are those in `databases` of the drill's own `server`. `age` is how old they all are, in
    seconds; None where that is not known.
    """
    return [
        {
            "pattern": pattern,
            **counted(server, databases, pattern),
            "worth_seconds": worth,
            "age_seconds": age,
            "stale": None if age is None else age > worth,
        }
        for pattern, worth in patterns.items()
    ]


def counted(server: Server, databases: Iterable[int], pattern: str) -> dict[str, Any]:
    """How many keys match, and whether there was time for all of them."""
    until, keys, is_complete = time.monotonic() + SECONDS, 0, True
    for database in databases:
        found = tally(server, database, pattern, max(until - time.monotonic(), 0.0))
        keys += found.total
        is_complete = is_complete and found.is_complete
    return {"keys": keys, "complete": is_complete}


def volatile_lines(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line on each pattern that has keys."""
    for each in found:
        if not each["keys"]:
            continue
        least = "" if each["complete"] else "at least "
        keys = f"{least}{show_count(each['keys'], 'key')} like {each['pattern']}"
        worth = f"useful for {show_duration(each['worth_seconds'])}"
        if each["age_seconds"] is None:
            yield f"{keys}, {worth}: expected to be stale"
            continue
        state = "stale, as expected" if each["stale"] else "not stale yet"
        yield f"{keys}, {show_duration(each['age_seconds'])} old, {worth}: {state}"

"""Keys that are expected to be stale after a recovery, as sessions and queues: no finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from restore_drill.core.units import show_count, show_duration
from restore_drill.redis.coherence.reading import Limits, TooMuch, batches

if TYPE_CHECKING:
    import redis

SECONDS = 10.0
"""So long are the keys of a pattern counted at most."""


def count_volatile(
    clients: Sequence[redis.Redis], patterns: Mapping[str, float], age: float | None
) -> list[dict[str, Any]]:
    """Part `volatile` of result.json: keys of each of `patterns`, which are worth so many seconds.

    `age` is how old they all are, in seconds; None where that is not known.
    """
    return [
        {
            "pattern": pattern,
            **counted(clients, pattern),
            "worth_seconds": worth,
            "age_seconds": age,
            "stale": None if age is None else age > worth,
        }
        for pattern, worth in patterns.items()
    ]


def counted(clients: Sequence[redis.Redis], pattern: str) -> dict[str, Any]:
    """How many keys match, and whether there was time for all of them."""
    keys = 0
    try:
        for _, some in batches(clients, None, pattern.encode(), Limits(seconds=SECONDS)):
            keys += len(some)
    except TooMuch:
        return {"keys": keys, "complete": False}
    return {"keys": keys, "complete": True}


def volatile_lines(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line on each pattern that has keys."""
    for each in found:
        if not each["keys"]:
            continue
        least = "" if each["complete"] else "at least "
        keys = f"{least}{show_count(each['keys'], 'key')} like {each['pattern']}"
        worth = f"worth something for {show_duration(each['worth_seconds'])}"
        if each["age_seconds"] is None:
            yield f"{keys}, expected to be stale, {worth}"
            continue
        state = "stale, as expected" if each["stale"] else "not stale yet"
        yield f"{keys}, {show_duration(each['age_seconds'])} old, {worth}: {state}"

"""What the page shows of Redis: its facts in words, and the latencies of each server as a line."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10
from typing import Any

from restore_drill.core.units import show_count
from restore_drill.redis.census.outcome import words_of
from restore_drill.redis.coherence.volatile import volatile_lines
from restore_drill.redis.latency import show_latency
from restore_drill.redis.own.persistence import Persistence
from restore_drill.redis.own.replication import Replica
from restore_drill.results.charts import Dot, line
from restore_drill.results.trends import Line
from restore_drill.results.words import describe

APART = ("latency_curve", "nodes", "persistence", "replicas", "sentinel", "cluster", "headroom")
"""What is not shown as it stands in result.json."""
MOST = 12
"""So many shards are drawn."""
LAST = 99.97
"""Where the slowest stands on an axis that has no end."""


def redis_card(redis: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Label and text of what is known of Redis."""
    if not redis:
        return []
    plain = describe({key: value for key, value in redis.items() if key not in APART})
    return [*plain, *in_words(redis)]


def in_words(redis: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What result.json holds in parts."""
    if (share := redis.get("headroom")) is not None:
        yield "memory left", f"{share:.1%}"
    if found := redis.get("persistence"):
        yield "saves", Persistence(**found).words
    if found := redis.get("replicas"):
        yield "replicas", "; ".join(Replica(**each).words for each in found)
    if found := redis.get("sentinel"):
        named = "; ".join(f"{where} names {said}" for where, said in found["answers"].items())
        yield "Sentinels", f"{found['name']}: {named}; quorum {found['quorum']}"
    if found := redis.get("cluster"):
        yield "cluster", f"{show_count(found['shards'], 'shard')}, state {found['state']}"
    for each in redis.get("nodes", ()) if redis.get("cluster") else ():
        yield f"shard {each['where']}", f"write {each['write']}, keys {each['keys']}"


def latencies_of(redis: dict[str, Any] | None) -> list[Line]:
    """A line for each server of the user's: how slow each share of its round trips was."""
    redis = redis or {}
    nodes = redis.get("nodes") or [redis]
    return [line_of(each) for each in nodes[:MOST] if each.get("own") and each.get("latency_curve")]


def line_of(node: dict[str, Any]) -> Line:
    """The line of one server; to the right each step is a tenth of the round trips before it."""
    curve = node["latency_curve"]
    dots = [Dot(-log10(1 - min(percent, LAST) / 100), seconds) for percent, seconds in curve]
    worst, median, most = (
        show_latency(node[f"latency_{name}"]) for name in ("worst", "median", "p99")
    )
    counted = show_count(node["round_trips"], "PING")
    sentence = f"{counted} to {node['where']}: median {median}, 99 % within {most}, slowest {worst}"
    return Line(
        title=node["where"],
        drawing=line(dots, sentence),
        first=f"fastest {show_latency(curve[0][1])}",
        last=f"slowest {worst}",
        highest=f"{counted}: median {median}, 99 % within {most}",
    )


def redis_backup_card(found: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Label and text of what is known of the backup of Redis, and of the keys in it."""
    if not found:
        return []
    census = found.get("census")
    apart = ("census", "volatile", *(("types", "functions", "databases") if census else ()))
    plain = describe({key: value for key, value in found.items() if key not in apart})
    stale = [("may be stale", each) for each in volatile_lines(found.get("volatile") or ())]
    return [*plain, *(words_of(census) if census else ()), *stale]

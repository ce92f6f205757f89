"""What a pass over the keys has found, for result.json, and in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from restore_drill.core.printable import printable
from restore_drill.core.units import show_bytes, show_count

if TYPE_CHECKING:
    from restore_drill.redis.backup.model import RestoredRedis
    from restore_drill.redis.census.content import Part
    from restore_drill.redis.census.model import Census

MOST_LINES = 12
LONGEST = 80
"""Characters of a key's name that are shown."""


def census_json(census: Census, found: RestoredRedis, libraries: Part | None) -> dict[str, Any]:
    """The part `census` of a backup of Redis in result.json: it names no key."""
    return {
        "types": {
            str(database): {
                kind: {"keys": each.keys, "expiring": each.expiring, "memory_bytes": each.bytes}
                for kind, each in sorted(types.items())
            }
            for database, types in sorted(census.counts.items())
        },
        "lasting": census.keys - census.expiring,
        "expiring": census.expiring,
        "run_out": found.expired if found.expired is not None else found.file.expired,
        "memory_bytes": census.bytes,
        "largest": [
            {"type": each.type, "database": each.database, "memory_bytes": each.bytes}
            for each in census.largest
        ],
        "patterns": {
            f"{head}*": {"keys": each.keys, "memory_bytes": each.bytes}
            for head, each in census.patterns.items()
        },
        "streams": census.streams,
        "groups": census.groups.count + census.passing,
        "functions": libraries.count if libraries else None,
    }


def words_of(census: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Label and text of what the part `census` of result.json says."""
    for database, types in census["types"].items():
        counted = ", ".join(f"{kind} {each['keys']:,}" for kind, each in types.items())
        yield f"keys of database {database}", counted
    yield "TTLs", ttl_words(census)
    if census["streams"]:
        groups = show_count(census["groups"], "consumer group")
        yield "streams", f"{census['streams']:,}, with {groups}"
    if census["functions"] is not None:
        yield "functions", show_count(census["functions"], "library", "libraries")
    if census["memory_bytes"]:
        yield "memory of the keys", ", ".join(memory_words(census))


def ttl_words(census: Mapping[str, Any]) -> str:
    """`700 keys (70 %) never expire, 280 (28 %) will, 20 (2 %) have since the backup was taken`."""
    parts = {
        "never expire": census["lasting"],
        "will expire": census["expiring"],
        "have expired since the backup was taken": census["run_out"],
    }
    total = sum(each or 0 for each in parts.values())
    return ", ".join(
        f"{count:,} ({count / total:.0%}) {what}" if total else f"{count:,} {what}"
        for what, count in parts.items()
        if count is not None
    )


def memory_words(census: Mapping[str, Any]) -> Iterator[str]:
    """All of it, the largest key, and what is under the patterns of the criteria file."""
    total = census["memory_bytes"]
    yield show_bytes(total)
    for each in census["largest"][:1]:
        share = each["memory_bytes"] / total
        yield f"the largest key, a {each['type']}, {show_bytes(each['memory_bytes'])} ({share:.0%})"
    for pattern, each in [*census["patterns"].items()][:MOST_LINES]:
        share = each["memory_bytes"] / total
        yield f"{pattern} {show_bytes(each['memory_bytes'])} ({share:.0%})"


def name_lines(census: Census) -> Iterator[str]:
    """Names of the largest keys, and the beginnings that take most: row data (`--show-keys`)."""
    for each in census.largest:
        where = f"{each.type} in database {each.database}"
        yield f"largest keys of Redis: {shown(each.name)}: {where}, {show_bytes(each.bytes)}"
    for prefix, size in census.prefixes.most_common(MOST_LINES):
        yield f"memory of Redis: {shown(prefix)}*: {show_bytes(size)}"


def shown(name: str) -> str:
    """The name of a key on one line, cut where it is long."""
    text = printable(name)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

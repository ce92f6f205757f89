"""The restored Redis against its manifest: what is lost or changed, a line each.

Keys run out in a backup too. So those that never expire are compared as they are, those with a TTL
by the file, which still has them, and by the parts of them that expire later than now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from restore_drill.config.criteria.key_rules import TYPES
from restore_drill.core.units import show_count, show_duration
from restore_drill.redis.backup.model import FileFacts, Keys
from restore_drill.redis.census.content import Content, Part
from restore_drill.redis.census.known import Known
from restore_drill.redis.census.model import HORIZONS, Census, Count, begins_behind


def keys_of(database: int, kind: str) -> str:
    """`database 0, hash`."""
    return f"database {database}, {kind}"


def of_keys(known: Known, file: FileFacts, census: Census, emptied: int = 0) -> list[str]:
    """How keys by database and type differ from those of the source.

    So many hashes were `emptied`: each of their fields has expired since.
    """
    found = list(of_totals(known, file))
    if known.types and file.types:
        found = list(of_file(known.types, file.types)) or found
    return found + list(of_restored(known.types, census.counts, emptied))


def of_totals(known: Known, file: FileFacts) -> Iterator[str]:
    """The numbers of all keys in the file."""
    for what, was, now in (
        ("keys", known.keys, file.keys),
        ("keys with a TTL", known.expires, file.expires),
    ):
        if was is not None and now is not None and was != now:
            yield f"the file holds {now:,} {what}, the source had {was:,}"


def of_file(
    was: Mapping[int, Mapping[str, Keys]], now: Mapping[int, Mapping[str, Keys]]
) -> Iterator[str]:
    """Keys in the file, those that have expired since among them."""
    for database, kind in names_in(was, now):
        before = was.get(database, {}).get(kind, Keys())
        after = now.get(database, {}).get(kind, Keys())
        where = keys_of(database, kind)
        if before.total != after.total:
            yield f"{where}: the file holds {after.total:,} keys, the source had {before.total:,}"
        elif before.expires != after.expires:
            yield (
                f"{where}: {after.expires:,} of {after.total:,} keys in the file have a TTL, "
                f"{before.expires:,} in the source"
            )


def of_restored(
    was: Mapping[int, Mapping[str, Keys]],
    now: Mapping[int, Mapping[str, Count]],
    emptied: int,
) -> Iterator[str]:
    """Keys that were restored: those that never expire are all there, and no more of others."""
    if not was:
        return
    lasting, expiring = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    found = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for database, taken in was.items():
        for kind, keys in taken.items():
            lasting[database, kind_in_file(kind)] += keys.total - keys.expires
            expiring[database, kind_in_file(kind)] += keys.expires
    for database, restored in now.items():
        for kind, count in restored.items():
            found[0][database, kind_in_file(kind)] += count.lasting
            found[1][database, kind_in_file(kind)] += count.expiring
    for name in sorted({*lasting, *expiring, *found[0], *found[1]}):
        lost = lasting[name] - found[0][name]
        if name[1] == "hash" and 0 < lost <= emptied:
            emptied -= lost
        elif lost:
            yield restored_words(name, found[0][name], "without", lasting[name])
        if found[1][name] > expiring[name]:
            yield restored_words(name, found[1][name], "with", expiring[name])


def restored_words(name: tuple[int, str], now: int, how: str, was: int) -> str:
    """`database 0, hash: 7 keys without a TTL restored, the source had 8`."""
    return (
        f"{keys_of(*name)}: {show_count(now, 'key')} {how} a TTL restored, the source had {was:,}"
    )


def kind_in_file(kind: str) -> str:
    """The type as Valkey's tool calls it, which takes keys of modules for strings."""
    return kind if kind in TYPES else "string"


def names_in(
    was: Mapping[int, Mapping[str, object]], now: Mapping[int, Mapping[str, object]]
) -> list[tuple[int, str]]:
    """Databases and types of both."""
    found = {(number, kind) for each in (was, now) for number in each for kind in each[number]}
    return sorted(found)


def of_ttls(content: Content, census: Census) -> list[str]:
    """How keys that expire later than now differ in when they do."""
    was, found = content.ttls or {}, list[str]()
    for place in range(1, len(HORIZONS) + 2):
        if not begins_behind(place, census):
            continue
        mark = census.ttls.get(place)
        now = Part(mark.count, mark.digest) if mark else None
        before = was.get(place)
        if now == before:
            continue
        counts = (now.count if now else 0, before.count if before else 0)
        which = f"keys that expire {span(place)} the backup was taken"
        if counts[0] != counts[1]:
            found.append(f"{which}: {counts[0]:,} restored, the source had {counts[1]:,}")
        else:
            found.append(f"{which}: {counts[0]:,} as in the source, but not the same keys or times")
    return found


def span(place: int) -> str:
    """`between 6 h and 8 h after`."""
    begin = show_duration(HORIZONS[place - 2])
    if place > len(HORIZONS):
        return f"more than {begin} after"
    return f"between {begin} and {show_duration(HORIZONS[place - 1])} after"


def of_groups(content: Content, census: Census) -> str:
    """How groups of streams differ; empty where they do not."""
    was, now = content.groups, census.groups
    if (was.count, was.digest) == (now.count, now.digest):
        return ""
    if was.count != now.count:
        return f"{show_count(now.count, 'group')} restored, the source had {was.count:,}"
    return (
        f"{show_count(now.count, 'group')} as in the source, but names, consumers, pending "
        "entries or positions differ, or the last IDs of their streams"
    )


def of_functions(was: Part, now: Part) -> str:
    """How the libraries of functions differ; empty where they do not."""
    if was == now:
        return ""
    libraries = show_count(now.count, "library", "libraries")
    if was.count != now.count:
        return f"{libraries} restored, the source had {was.count:,}"
    return f"{libraries} as in the source, but names or code differ"

"""One pass over all keys of the drill's own server, for everything that is told of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from restore_drill.config.criteria import Criteria
from restore_drill.core.deadline import at_work
from restore_drill.redis.census.model import Census, Count, Large, Mark, limits_from
from restore_drill.redis.census.script import (
    GROUPS,
    HASH,
    HEAD,
    INEXACT,
    LARGEST,
    PASSING,
    PREFIX,
    SCRIPT,
)
from restore_drill.redis.connection import Server, beside

if TYPE_CHECKING:
    import redis

SECONDS = 300.0
"""So long may the pass take; a million keys took 21 s on two cores, with others at work."""
TRIES = 3
MOST_PREFIXES = 10_000
MOST_HEADS = 50
"""So many are counted: each costs a comparison a key."""
WILD = re.compile(r"[*?\[\\]")
"""Begins what is not literal in a pattern of Redis."""


class TooLong(Exception):
    """There are too many keys for the time there is; `seen` of them were counted."""

    def __init__(self, seen: int) -> None:
        """Say how far it came."""
        super().__init__(f"counting {seen:,} keys took {SECONDS:.0f} s, and there are more")
        self.seen = seen


def take_census(
    server: Server,
    databases: Collection[int],
    taken_at: datetime,
    heads: Sequence[str] = (),
    *,
    named: bool = False,
    seconds: float = SECONDS,
) -> Census:
    """All keys in `databases` of the drill's own `server`, those under `heads` apart; TooLong.

    Their names are kept only where `named`. What has expired goes while it is counted.
    """
    until = time.monotonic() + seconds
    for _ in range(TRIES):
        found, there = Census(taken_at, datetime.now(UTC)), 0
        found.patterns = {each: Count() for each in heads}
        for database in databases:
            with closing(beside(server, db=database).client) as client:
                count_all(client, found, database, heads, named=named, until=until)
                there += int(client.dbsize())
        found.finished_at = datetime.now(UTC)
        if found.keys <= there:  # a table that shrinks while keys expire shows some of them twice
            break
    return found


def count_all(
    client: redis.Redis,
    found: Census,
    database: int,
    heads: Sequence[str],
    *,
    named: bool,
    until: float,
) -> None:
    """Add the keys of one `database`."""
    script = client.register_script(SCRIPT)
    limits = json.dumps(limits_from(found.taken_at))
    cursor, arguments = "0", [str(database), limits, json.dumps(list(heads)), str(int(named))]
    with at_work(lambda: "counting the keys of Redis"):
        while True:
            answer: list[Any] = script(args=[cursor, *arguments])
            cursor = str(answer[0])
            for row in answer[1]:
                add_row(found, database, heads, row)
            larger = [Large(size, kind, database, name) for size, kind, name in answer[2]]
            found.largest = sorted([*found.largest, *larger], reverse=True)[:LARGEST]
            if cursor == "0":
                return
            if time.monotonic() > until:
                raise TooLong(found.keys)


def add_row(found: Census, database: int, heads: Sequence[str], row: Sequence[Any]) -> None:
    """Add a row of the script: its name, keys, bytes, and two sums."""
    name, keys, size, *sums = row
    what, _, rest = str(name).partition(" ")
    if what == HASH:
        kind, _, place = rest.rpartition(" ")
        count = found.counts.setdefault(database, {}).setdefault(kind, Count())
        count.keys, count.bytes = count.keys + keys, count.bytes + size
        if int(place):
            count.expiring += keys
            found.ttls.setdefault(int(place), Mark()).add(keys, *sums)
    elif what == HEAD:
        count = found.patterns[heads[int(rest) - 1]]
        count.keys, count.bytes = count.keys + keys, count.bytes + size
    elif what == GROUPS:
        found.streams += size
        found.groups.add(keys, *sums)
    elif what == PASSING:
        found.streams += size
        found.passing += keys
    elif what == PREFIX and (rest in found.prefixes or len(found.prefixes) < MOST_PREFIXES):
        found.prefixes[rest] += size
    elif what == INEXACT:
        found.is_exact = False


def heads_of(criteria: Criteria) -> list[str]:
    """The literal beginnings of all patterns of keys in the criteria file, but none of names."""
    patterns = [rule.pattern for rule in criteria.redis_keys.values()]
    patterns += [*criteria.redis_volatile, *criteria.redis_cached]
    heads = {WILD.split(each, maxsplit=1)[0] for each in patterns}
    heads |= {rule.literals[0] for rule in criteria.redis_coherence}
    return sorted(filter(None, heads))[:MOST_HEADS]

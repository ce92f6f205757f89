"""One pass over all keys of the drill's own server, for everything that is told of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

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
from restore_drill.redis.standstill import standstill

SECONDS = 300.0
"""So long may the pass take; a million keys took 21 s on two cores, with others at work."""
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

    Their names are kept only where `named`. What has expired is not counted.
    """
    until = time.monotonic() + seconds
    found = Census(taken_at, datetime.now(UTC))
    found.patterns = {each: Count() for each in heads}
    limits = [json.dumps(limits_from(taken_at)), json.dumps(list(heads)), str(int(named))]
    with standstill(server) as ask, at_work(lambda: "counting the keys of Redis"):
        for database in databases:
            left = max(until - time.monotonic(), 0.0)
            with closing(beside(server, db=database).client) as client:
                add_all(
                    found, database, heads, ask(client, SCRIPT, [str(database), *limits, str(left)])
                )
    found.finished_at = datetime.now(UTC)
    return found


def add_all(found: Census, database: int, heads: Sequence[str], answer: Sequence[Any]) -> None:
    """Add the keys of one `database`, which the script has gone over; TooLong."""
    cursor, rows, largest = answer
    for row in rows:
        add_row(found, database, heads, row)
    larger = [Large(size, kind, database, name) for size, kind, name in largest]
    found.largest = sorted([*found.largest, *larger], reverse=True)[:LARGEST]
    if str(cursor) != "0":
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
    elif what == PREFIX:
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

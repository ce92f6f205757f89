"""What a pass over all keys of a restored Redis has found: counts, TTLs, memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86400
HORIZONS = (
    *(MINUTE * each for each in (1, 5, 15, 30)),
    *(HOUR * each for each in (1, 2, 3, 4, 6, 8, 12, 18, 24, 30, 36, 48, 60, 72, 96, 120)),
    *(DAY * each for each in (6, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 730, 1825)),
)
"""Seconds from when a backup was taken that divide its keys by when they expire.

Keys run out in a backup too: only what expires behind the time of the drill can be compared, and
so each part by itself. In a manifest they stand beside the parts.
"""


@dataclass
class Count:
    """Keys, how many of them have a TTL, and the bytes of memory that all of them take."""

    keys: int = 0
    expiring: int = 0
    bytes: int = 0

    @property
    def lasting(self) -> int:
        """Keys that never expire."""
        return self.keys - self.expiring


@dataclass
class Mark:
    """Things that are compared, how many they are, and the sums of their digests."""

    count: int = 0
    sums: tuple[int, int] = (0, 0)

    def add(self, count: int, *sums: int) -> None:
        """Add others: in whatever order they come, the digest is the same."""
        self.count += count
        one, other = self.sums
        self.sums = ((one + sums[0]) % (1 << 64), (other + sums[1]) % (1 << 64))

    @property
    def digest(self) -> str:
        """Of all of them."""
        return "".join(f"{each:016x}" for each in self.sums)


class Large(NamedTuple):
    """One of the largest keys; its `name` is row data, empty unless names are asked for."""

    bytes: int
    type: str
    database: int
    name: str = ""


@dataclass
class Census:
    """All keys, by database and type; `taken_at` is when the backup was, `finished_at` the pass.

    `ttls` has the keys that expire by their place among the HORIZONS, from 1 on, `groups` those of
    streams that do not, `passing` counts those of others; `streams` counts both. `patterns` counts
    keys under the literal beginnings that were asked for, `prefixes` has bytes by beginnings that
    were not: row data. It `is_exact` where the server says when keys expire.
    """

    taken_at: datetime
    finished_at: datetime
    counts: dict[int, dict[str, Count]] = field(default_factory=dict)
    ttls: dict[int, Mark] = field(default_factory=dict)
    groups: Mark = field(default_factory=Mark)
    passing: int = 0
    streams: int = 0
    patterns: dict[str, Count] = field(default_factory=dict)
    largest: list[Large] = field(default_factory=list)
    prefixes: Counter[str] = field(default_factory=Counter)
    is_exact: bool = True

    @property
    def all(self) -> Iterator[Count]:
        """Counts of each type in each database."""
        for types in self.counts.values():
            yield from types.values()

    @property
    def keys(self) -> int:
        """All of them."""
        return sum(each.keys for each in self.all)

    @property
    def expiring(self) -> int:
        """Keys that have a TTL."""
        return sum(each.expiring for each in self.all)

    @property
    def bytes(self) -> int:
        """Memory that all keys take."""
        return sum(each.bytes for each in self.all)


def limits_from(taken_at: datetime, horizons: Sequence[int] = HORIZONS) -> list[int]:
    """The `horizons` as times, in milliseconds since 1970; the same on every machine."""
    start = int(taken_at.timestamp())
    return [(start + each) * 1000 for each in horizons]


def begins_behind(place: int, census: Census) -> bool:
    """Whether all keys at this `place` among the horizons expire later than the pass has ended."""
    if place < 2:  # what expires before, also before it was taken
        return False
    begin = census.taken_at.replace(microsecond=0) + timedelta(seconds=HORIZONS[place - 2])
    return begin > census.finished_at

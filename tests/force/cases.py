"""All cases: way, moment and injection. A case is data; `run.py` carries it out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.force import injections, moments
from tests.force.injections import Injection
from tests.force.moments import Moment

NOTHING = Injection("no fault", lambda _: None)


@dataclass(frozen=True)
class Way:
    """How a command touches the live database: its `options`, and the moments it has."""

    name: str
    options: tuple[str, ...]
    moments: tuple[Moment, ...]
    injections: tuple[Injection, ...] = (NOTHING, *injections.ALL)


BESIDE = Way(
    "beside", (),
    (
        moments.START, moments.MAKING, moments.MADE_BESIDE, moments.RESTORING, moments.VERIFYING,
        moments.REDIS, moments.AT_THE_END, moments.DROPPING, moments.ANY_TIME,
    ),
)  # fmt: skip
PARALLEL = Way(
    "beside, -n 2", ("-n", "2"), (moments.START,), (NOTHING,),
)  # fmt: skip
PROMOTE = Way(
    "promote", ("--promote", "--confirm={name}", "--accept-loss"),
    (
        moments.START, moments.MADE_BESIDE, moments.RESTORING, moments.VERIFYING,
        moments.AT_THE_END, *moments.SWAPPING, moments.ANY_TIME,
    ),
)  # fmt: skip
IN_PLACE = Way(
    "in place", ("--in-place", "--confirm={name}"),
    (
        moments.SNAPSHOT, moments.SHUT, moments.SNAPPED, moments.UNDECIDED, moments.RECREATING,
        moments.RESTORING, moments.VERIFYING, moments.AT_THE_END, moments.ANY_TIME,
    ),
)  # fmt: skip
ROLLBACK = Way(
    "rollback", (),
    (*moments.SWAPPING_BACK, Moment("any time", spread=1.5)),
    (
        NOTHING, *injections.SIGNALS, *injections.SERVER, *injections.SESSION, *injections.DISKS,
        *injections.NETWORK, *injections.RIGHTS, *injections.CLOCK,
    ),
)  # fmt: skip
WAYS = (BESIDE, PARALLEL, PROMOTE, IN_PLACE, ROLLBACK)

QUICK = (
    ("beside", "step 5, restoring", "SIGINT twice to the group"),
    ("beside", "step 7, Redis", "SIGKILL to the group"),
    ("promote", "first rename", "SIGKILL"),
    ("promote", "journal: committing", "postmaster killed"),
    ("promote", "journal: prepared", "lock's session terminated"),
    ("rollback", "journal: prepared", "SIGKILL"),
    ("rollback", "first rename", "network cut for 3 s"),
    ("rollback", "journal: committing", "server restarted"),
    ("rollback", "journal: prepared", "SIGINT three times"),
    ("rollback", "first rename", "a session killed"),
    ("in place", "journal: shut", "SIGKILL"),
    ("rollback", "journal: committing", "SIGKILL"),
)
"""What every run of the tests injects."""


@dataclass(frozen=True)
class Case:
    """One run: `number` makes its random times its own; `is_superuser` is who drills."""

    number: int
    way: Way
    moment: Moment
    injection: Injection
    is_superuser: bool = False

    @property
    def name(self) -> str:
        """`promote, journal: prepared, SIGKILL`."""
        return f"{self.way.name}, {self.moment.name}, {self.injection.name}"


def every_case() -> Iterator[tuple[Way, Moment, Injection]]:
    """Every way with every moment and injection that it has."""
    for way in WAYS:
        for injection in way.injections:
            for moment in way.moments[:1] if injection is NOTHING else way.moments:
                yield way, moment, injection


def chosen(count: int, seed: int) -> list[Case]:
    """So many cases: each way with each injection at least once, as far as `count` reaches."""
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    rest = list(every_case())
    chance.shuffle(rest)
    seen: set[tuple[str, str]] = set()
    first = []
    for way, moment, injection in rest:
        if (way.name, injection.name) not in seen:
            seen.add((way.name, injection.name))
            first.append((way, moment, injection))
    ordered = first + [each for each in rest if each not in first]
    picked = ordered[:count]
    chance.shuffle(picked)
    return [
        Case(number, *each, is_superuser=not rights(each[2]) and chance.random() < 1 / 3)
        for number, each in enumerate(picked, start=1)
    ]


def quick() -> list[Case]:
    """A dozen cases."""
    every = {(way.name, at.name, what.name): (way, at, what) for way, at, what in every_case()}
    return [Case(number, *every[each]) for number, each in enumerate(QUICK, start=1)]


def rights(injection: Injection) -> bool:
    """Whether the injection takes rights away, which a superuser would not feel."""
    return injection in injections.RIGHTS

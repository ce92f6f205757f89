"""A fleet that is drawn: its databases, its workers, and how fast any scheduler could be at best.

A drill is a sleep in scaled time, after which it hands back the files that a real one has left.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from restore_drill.fleet.model import Done, Job, Needs
from restore_drill.fleet.pool.leash import own_leash
from restore_drill.fleet.pool.machines import Machine

GB = 1_000_000_000
MEDIAN, SPREAD = 180.0, 1.0
"""Seconds of a drill, and the sigma of their lognormal distribution."""
RATE = 20_000_000
"""Bytes of disk for each second of a drill, in the middle."""
UNKNOWN, WRONG = 0.2, 0.2
"""Parts of the drills that were never drilled, and that took another time before."""
SOURCES, OWNERS = 40, 12
KINDS = (("small", 0.7, 50, 4, 2), ("middle", 0.2, 200, 8, 4), ("large", 0.1, 2000, 16, 8))
"""Kinds of workers: their name, part, GB of disk, GB of memory, and cores."""
SLEEPS, SPEED, SAMPLE = "SLEEPS", "SPEED", "SAMPLE"
"""Variables of a job: its seconds, how many of them pass in one, where the real files lie."""


def draw_jobs(count: int, seed: int, speed: float = 1.0, sample: Path = Path()) -> list[Job]:
    """So many drills; what is known of their time is partly missing or wrong."""
    dice = random.Random(seed)  # noqa: S311 - to be drawn the same again
    found = []
    for number in range(count):
        seconds = dice.lognormvariate(math.log(MEDIAN), SPREAD)
        disk = int(seconds * RATE * dice.lognormvariate(0.0, 0.5))
        size = disk / RATE / MEDIAN
        needs = Needs(disk, int(GB * min(0.3 + size / 4, 8)), 2 if size > 3 else 1)
        fate = dice.random()
        known = seconds * dice.lognormvariate(0.0, 0.1 if fate < 1 - WRONG else 1.0)
        source = f"s3://bucket-{drawn(dice, SOURCES)}"
        environment = {SLEEPS: f"{seconds:.3f}", SPEED: f"{speed}", SAMPLE: str(sample)}
        found.append(Job(
            f"db-{number:04}", (), environment, {}, needs, source,
            f"team-{drawn(dice, OWNERS)}", None, None if fate < UNKNOWN else known,
        ))  # fmt: skip
    return found


def drawn(dice: random.Random, count: int) -> int:
    """One of so many; the first have more of them than the last."""
    return dice.choices(range(count), [1 / (rank + 8) for rank in range(count)])[0]


def workers_of(count: int) -> Iterator[tuple[str, str]]:
    """Names of so many workers and their resources, as `dask worker` takes them."""
    for number in range(count):
        part = 0.0
        for kind, share, disk, memory, cores in reversed(KINDS):
            part += share
            if number < math.ceil(part * count):
                yield f"{kind}-{number:02}", f"disk={disk}e9 memory={memory}e9 cores={cores}"
                break


def machines_of(count: int) -> list[Machine]:
    """Those workers, as the scheduler's rules see them."""
    found = []
    for name, text in workers_of(count):
        pairs = (each.partition("=") for each in text.split())
        found.append(Machine(name, name, 1, {key: float(value) for key, _, value in pairs}))
    return found


def sleeps(job: Job) -> Done:
    """Sleep as long as the drill takes; what a real one has left, and when this was."""
    began, leash = time.monotonic(), own_leash()
    seconds = float(job.environment[SLEEPS])
    time.sleep(seconds / float(job.environment[SPEED]))
    sample = Path(job.environment[SAMPLE])
    result = json.loads((sample / "result.json").read_bytes())
    report, junit = ((sample / name).read_bytes() for name in ("report.html", "junit.xml"))
    result["simulated"] = [leash.worker.name, began, time.monotonic()]
    return Done(job.name, 0, "", seconds, result, report, junit)


def keep_sample(done: Done, folder: Path) -> None:
    """Write what a real drill has left where `sleeps` reads it."""
    assert done.result is not None, done.why
    (folder / "result.json").write_text(json.dumps(done.result), encoding="utf-8")
    (folder / "report.html").write_bytes(done.report)
    (folder / "junit.xml").write_bytes(done.junit)


def seconds_of(job: Job) -> float:
    """What the drill takes in the time of the simulation's clock."""
    return float(job.environment[SLEEPS]) / float(job.environment[SPEED])


def bounds(jobs: Sequence[Job], machines: Sequence[Machine], at_once: int) -> dict[str, float]:
    """Seconds that no scheduler can be below, by what holds it up.

    All work shared by all workers; the work that fits on some of them shared by those; that of a
    source by the drills that may read from it at the same time; and the longest drill.
    """
    able, sources = defaultdict[frozenset[str], float](float), defaultdict[str, float](float)
    for job in jobs:
        fitting = frozenset(each.name for each in machines if each.has_room(job.needs))
        able[fitting] += seconds_of(job)
        sources[job.source] += seconds_of(job)
    own = {
        names: sum(took for some, took in able.items() if some <= names) / len(names)
        for names in able
    }
    everyone = sum(able.values()) / len(machines)
    return {
        "all work on all workers": everyone,
        "work that needs large workers": max(
            (took for names, took in own.items() if len(names) < len(machines)), default=0.0
        ),
        "the busiest source": max(sources.values()) / at_once,
        "the longest drill": max(map(seconds_of, jobs)),
    }

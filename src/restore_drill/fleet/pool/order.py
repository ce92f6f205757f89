"""In which order drills begin: the longest first, those of the owners woven into each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from restore_drill.fleet.model import Job

RATE = 1 / 20e6
"""Seconds that a drill takes for each byte of the disk that it needs, where nothing is known."""
LEAST = 1.0
"""Seconds of the shortest drill."""
GROWN = 0.5
"""A drill that was shorter than this part of what its disk lets expect is not believed to be so."""


def expected_seconds(jobs: Sequence[Job]) -> list[float]:
    """Seconds that each of the `jobs` is likely to take.

    Those that it took before; else by the disk that it needs, at the pace of those that are known.
    A database may have grown since: one that begins too late holds up all, one too early nobody.
    """
    known = [(job.seconds, job.needs.disk) for job in jobs if job.seconds and job.needs.disk]
    # Of all together: small ones alone, which mostly start servers, would make a terabyte a year.
    pace = sum(took for took, _ in known) / sum(disk for _, disk in known) if known else RATE
    by_disk = [(job.needs.disk or 0) * pace for job in jobs]
    return [
        max(job.seconds, GROWN * guess) if job.seconds else max(LEAST, guess)
        for job, guess in zip(jobs, by_disk, strict=True)
    ]


def woven(jobs: Sequence[Job], seconds: Sequence[float]) -> list[int]:
    """Numbers of the `jobs` in the order in which they begin.

    In rounds: the longest drill of each owner, then the second of each. In a round, too, the
    longest is first; of those that take equally long, the largest. So nobody's 900 drills keep
    another's three waiting.
    """

    def size(number: int) -> tuple[float, int, int]:
        return -seconds[number], -(jobs[number].needs.disk or 0), number

    own = defaultdict[str, list[int]](list)
    for number in sorted(range(len(jobs)), key=size):
        own[jobs[number].owner].append(number)
    rounds = {number: turn for theirs in own.values() for turn, number in enumerate(theirs)}
    return sorted(rounds, key=lambda each: (rounds[each], *size(each)))

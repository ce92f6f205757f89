"""In which order drills begin: the longest first, those of the owners woven into each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from restore_drill.fleet.model import Job

RATE = 1 / 20e6
"""Seconds that a drill takes for each byte of the disk that it needs, where nothing is known."""
LEAST = 1.0
"""Seconds of the shortest drill."""


def expected_seconds(jobs: Sequence[Job]) -> list[float]:
    """Seconds that each of the `jobs` is likely to take.

    Those that it took before; else by the disk that it needs, at the pace of those that are known.
    """
    known = [(job.seconds, job.needs.disk) for job in jobs if job.seconds and job.needs.disk]
    # Of all together: small ones alone, which mostly start servers, would make a terabyte a year.
    pace = sum(took for took, _ in known) / sum(disk for _, disk in known) if known else RATE
    return [job.seconds or max(LEAST, (job.needs.disk or 0) * pace) for job in jobs]


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

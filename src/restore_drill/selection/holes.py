"""Holes: times in which a backup should have been taken, and none is there.

A retention thins older backups out, and what it removed is no hole. So a gap counts only where
backups before it lie as close as `[backup] every` says: of the three gaps before it two must be
ordinary. The gap before the newest backup counts always, since no retention removes that one's
neighbour; so does the time since, however old a backup may be. What is older than that shows is
not judged, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from restore_drill.backups.choice import Schedule
from restore_drill.core.units import show_count, show_duration, show_time

LATE = 1.5
"""So many times `every` may lie between two backups: jobs wait, clocks change."""
SAME = 0.25
"""Backups nearer to each other than this share of `every` are one: a job ran twice."""
LOOKED, DENSE = 3, 2
"""Of so many gaps before a hole so many are ordinary."""


def schedule_of(taken: Sequence[datetime], every: float, now: datetime) -> Schedule:
    """How the backups that were `taken` keep to `every` (seconds) up to `now`, in any order."""
    times = without_repeats(sorted(taken, reverse=True), every)
    gaps = [(new - old).total_seconds() for new, old in pairwise(times)]
    ordinary = [gap <= LATE * every for gap in gaps]
    holes = [
        hole(times[at + 1], times[at], gap, every)
        for at, gap in enumerate(gaps)
        if not ordinary[at] and (at == 0 or is_dense(ordinary[at + 1 :]))
    ]
    if times and (since := (now - times[0]).total_seconds()) > LATE * every:
        holes.insert(0, f"no backup since {show_time(times[0])} {how_long(since, every)}")
    looked = [at for at in range(len(gaps)) if at == 0 or is_dense(ordinary[at + 1 :])]
    return Schedule(every, tuple(holes), judged(times, looked))


def without_repeats(times: Sequence[datetime], every: float) -> list[datetime]:
    """`times`, newest first, without those that lie close before another one."""
    kept: list[datetime] = []
    for each in times:
        if not kept or (kept[-1] - each).total_seconds() > SAME * every:
            kept.append(each)
    return kept


def is_dense(before: Sequence[bool]) -> bool:
    """Whether backups came regularly `before` a gap: which gaps were ordinary, the later first."""
    return sum(before[:LOOKED]) >= DENSE


def hole(before: datetime, after: datetime, gap: float, every: float) -> str:
    """`no backup between 2026-11-03 05:00 and 2026-11-09 05:00 UTC (6 d): 5 are missing`."""
    return f"no backup between {show_time(before)} and {show_time(after)} {how_long(gap, every)}"


def how_long(gap: float, every: float) -> str:
    """`(6 d): 5 are missing`."""
    missing = max(round(gap / every) - 1, 1)
    return f"({show_duration(gap)}): {missing} {'is' if missing == 1 else 'are'} missing"


def judged(times: Sequence[datetime], looked: Sequence[int]) -> str:
    """How far back was looked, by the gaps that were judged, and why no further."""
    if not looked:
        return "the series has one backup"
    last = max(looked) + 1
    text = f"judged back to {show_time(times[last])} ({show_count(last + 1, 'backup')})"
    if older := len(times) - last - 1:
        text += f"; not the {older} older ones: a retention policy may have thinned them out"
    return text

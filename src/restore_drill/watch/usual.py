"""What is usual among the last passed drills, and when their growth will reach a budget."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from restore_drill.core.units import show_duration
from restore_drill.watch.history import Drill

SHOWN = 10
NOISE = 2.0
"""Seconds by which a restore must be slower, too: below, any machine is as slow for a moment."""
SLOW = 1.5
"""How many times its usual time a restore may take before `status` has a word on it."""
LEAST = 3
"""Drills that make a usual time there."""
MOST = 60
"""So many of the last drills are looked at for growth."""
MIN_SPAN = timedelta(days=14)
"""Growth over a shorter time is the weather of a week."""
TIMES = ("restore", "verify", "total")


def alike(drills: Sequence[Drill], now: Drill) -> list[Drill]:
    """Those of `drills` on the machine of `now`, with its setup: their times can be compared."""
    return [each for each in drills if (each.machine, each.setup) == (now.machine, now.setup)]


def values_of(drills: Sequence[Drill], name: str) -> list[float]:
    """What `drills` have for `name`: a time, rows or size; what is not known is left out."""
    return [value for each in drills if (value := getattr(each, name)) is not None]


def breaks_at(drills: Sequence[Drill], name: str, budget: float) -> datetime | None:
    """When the time `name` of `drills`, which grows, will reach `budget` (seconds).

    None where it does not clearly grow, or not within twice the time that was observed. The line is
    that of Theil and Sen, the median of all slopes, which single slow drills do not move. Growth is
    clear where it is three times the usual distance from the line, and a twentieth of the time.
    """
    found = [(each.at, getattr(each, name)) for each in drills[-MOST:]]
    known = [(at, value) for at, value in found if value is not None]
    if len(known) < LEAST or known[-1][0] - known[0][0] < MIN_SPAN:
        return None
    start, span = known[0][0], (known[-1][0] - known[0][0]).total_seconds()
    points = [((at - start).total_seconds(), value) for at, value in known]
    slopes = [(b - y) / (a - x) for (x, y), (a, b) in combinations(points, 2) if a > x]
    slope = statistics.median(slopes)
    base = statistics.median(y - slope * x for x, y in points)
    spread = statistics.median(abs(y - base - slope * x) for x, y in points)
    usual = statistics.median(y for _, y in points)
    if slope <= 0 or slope * span < max(3 * spread, usual / 20):
        return None
    after = (budget - base) / slope
    return start + timedelta(seconds=max(after, span)) if after <= 3 * span else None


def trend_lines(passes: Sequence[Drill]) -> Iterator[str]:
    """How long a restore usually takes, a word where the last took much longer, and the growth."""
    same = alike(passes, passes[-1]) if passes else []
    times = values_of(same, "restore")
    if len(times) <= LEAST:
        return
    usual = statistics.median(times[-SHOWN - 1 : -1])
    yield f"Restore: {show_duration(times[-1])}, usually {show_duration(usual)}"
    if times[-1] > max(SLOW * usual, usual + NOISE):
        yield f"! The last restore took {times[-1] / usual:.1f} times as long as usual"
    for name in TIMES:
        budget = same[-1].budgets.get(name)
        if budget and (when := breaks_at(same, name, budget)):
            yield f"! {growth_words(name, budget, when)}"


def growth_words(name: str, budget: float, when: datetime) -> str:
    """`At this rate, the restore time will reach its budget of 2 min around 2027-03-04`."""
    what = f"the {name} time will reach its budget of {show_duration(budget)}"
    return f"At this rate, {what} around {when:%Y-%m-%d}"

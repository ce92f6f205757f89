"""A drill against the passed ones before it: slower, fewer rows, smaller, growing out of a budget.

Nothing is said of too little history: five passed drills of the series, for times on the same
machine with the same setup, and for growth over two weeks at least.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from restore_drill.config.criteria import Criteria
from restore_drill.core.units import show_bytes, show_count, show_duration
from restore_drill.watch.history import Drill
from restore_drill.watch.usual import (
    MIN_SPAN,
    NOISE,
    TIMES,
    alike,
    breaks_at,
    growth_words,
    values_of,
)

LEAST = 5
"""Passed drills that make what is usual."""


@dataclass(frozen=True)
class Trends:
    """The drill `now`, as far as it has come, and the passed ones of its series, oldest first."""

    now: Drill
    passed: Sequence[Drill]
    criteria: Criteria
    why_none: str = ""

    def why_open(self, name: str) -> str:
        """Why nothing is known of the trend `name`; empty where something is."""
        if self.why_none:
            return self.why_none
        if name == "growth" and not any(each in self.now.budgets for each in TIMES):
            return "no time has a budget"
        times = name in ("restore", "growth")
        known = values_of(self.comparable(name), "restore" if times else name)
        is_any = len(self.passed) >= LEAST
        count = len(known) if is_any else len(self.passed)
        if count < LEAST:
            where = f" on {self.now.machine} ({self.now.setup})" if times and is_any else ""
            drills = show_count(count, "passed drill")
            return f"{drills} of this series{where} in the history; a trend needs {LEAST}"
        if name == "growth" and self.now.at - self.comparable(name)[0].at < MIN_SPAN:
            return "the drills in the history span less than two weeks"
        return ""

    def comparable(self, name: str) -> list[Drill]:
        """The passed drills whose value for the trend `name` can be compared."""
        return alike(self.passed, self.now) if name in ("restore", "growth") else list(self.passed)

    def finding(self, name: str) -> str:
        """What is unusual about the trend `name`, empty where nothing is."""
        if name == "growth":
            return self.growth()
        known = values_of(self.comparable(name), name)
        usual, value = statistics.median(known[-LEAST:]), getattr(self.now, name)
        if not usual or value is None:
            return ""
        return self.slowdown(usual, value) if name == "restore" else self.fall(name, usual, value)

    def slowdown(self, usual: float, value: float) -> str:
        """That the restore took much longer than usual."""
        if value - usual <= max(usual * self.criteria.max_slowdown, NOISE):
            return ""
        return (
            f"the restore took {show_duration(value)}, {value / usual - 1:.0%} longer than the "
            f"{show_duration(usual)} usual on {self.now.machine} "
            f"(median of the last {LEAST} passed drills)"
        )

    def fall(self, name: str, usual: float, value: float) -> str:
        """That there are far fewer rows, or bytes, than usual."""
        if value >= usual * (1 - self.criteria.max_fall):
            return ""
        shown = show_bytes if name == "size" else (lambda count: show_count(round(count), "row"))
        what = "the backup has" if name == "size" else "all tables together have"
        return (
            f"{what} {shown(value)}, {1 - value / usual:.0%} less than the usual {shown(usual)} "
            f"(median of the last {LEAST} passed drills)"
        )

    def growth(self) -> str:
        """Which time will reach its budget within the weeks that the criteria file says."""
        drills = [*self.comparable("growth"), self.now]
        latest = self.now.at + timedelta(weeks=self.criteria.trend_weeks)
        found = []
        for name in TIMES:
            budget = self.now.budgets.get(name)
            when = breaks_at(drills, name, budget) if budget else None
            if budget and when and when <= latest:
                found.append(growth_words(name, budget, when))
        return "; ".join(found[:1] + [each[0].lower() + each[1:] for each in found[1:]])

    def fallen_tables(self) -> list[str]:
        """Tables that had more rows in the last passed drill, those that lost most first."""
        before = self.passed[-1].tables if self.passed else {}
        lost = {
            name: rows - self.now.tables.get(name, 0)
            for name, rows in before.items()
            if rows > self.now.tables.get(name, 0)
        }
        worst = sorted(lost, key=lambda name: (-lost[name], name))
        return [f"{name}: {before[name]:,} then, {self.now.tables.get(name, 0):,} now"
                for name in worst]  # fmt: skip

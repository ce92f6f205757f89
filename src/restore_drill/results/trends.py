"""The drills of a series so far: a calendar, and what becomes of times, rows and size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from markupsafe import Markup

from restore_drill.core.units import show_bytes, show_count, show_duration
from restore_drill.results.charts import Dot, calendar, line
from restore_drill.results.past import Background, Past, days_of
from restore_drill.results.result import Result
from restore_drill.results.tiles import count_rows, recovery_budget

SHOWN = 60
"""So many of the last drills are in a line."""


class Line(NamedTuple):
    """A line of the trends: its title, the drawing, and its ends in words."""

    title: str
    drawing: Markup
    first: str
    last: str
    highest: str


def trends_of(result: Result, background: Background) -> dict[str, Any] | None:
    """Calendar and lines of the drills so far; None where this is the first."""
    drills = list(background.drills)
    if not background.before(result["started_at"]):
        return None
    passed = sum(not each.is_bad for each in drills)
    last = datetime.fromisoformat(result["started_at"]).date()
    words = f"{show_count(len(drills), 'drill')}, {passed} passed, in the last 26 weeks and before"
    shown = drills[-SHOWN:]
    lines = [
        times_of(shown, result["budgets"]),
        line_of("Rows", shown, "rows", count_rows),
        line_of("Size of the backup", shown, "size", show_bytes),
        line_of("Age of the backup", shown, "age", show_duration, background.max_age),
    ]
    return {
        "summary": f"{show_count(len(drills), 'drill')} of this series, {passed} passed",
        "calendar": calendar(days_of(drills), last, words),
        "lines": [each for each in lines if each is not None],
        "outlook": list(background.outlook),
    }


def times_of(drills: Sequence[Past], budgets: Mapping[str, float | None]) -> Line | None:
    """How long restore and verification took; the one that has a budget, where only one has."""
    both = recovery_budget(budgets)
    for name in ("restore", "verify"):
        if both is None and (budget := budgets.get(name)) is not None:
            return line_of(f"Time to {name}", drills, name, show_duration, budget)
    return line_of("Time to restore and verify", drills, "recovery", show_duration, both)


def line_of(
    title: str,
    drills: Sequence[Past],
    name: str,
    show: Callable[[float], str],
    budget: float | None = None,
) -> Line | None:
    """How the value `name` went; None where fewer than two drills know it."""
    known = [each for each in drills if getattr(each, name) is not None]
    if len(known) < 2:
        return None
    values = [getattr(each, name) for each in known]
    dots = [Dot(each.at.timestamp(), getattr(each, name), each.is_bad) for each in known]
    against = f", budget {show_duration(budget)}" if budget is not None else ""
    sentence = f"{title} in {len(known)} drills: {show(values[0])} first, {show(values[-1])} last"
    return Line(
        title,
        line(dots, sentence + against, budget=budget),
        f"{known[0].at:%Y-%m-%d}: {show(values[0])}",
        f"{known[-1].at:%Y-%m-%d}: {show(values[-1])}",
        f"at most {show(max(values))}{against}",
    )

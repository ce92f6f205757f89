"""Numbers, charts and the calendar of a series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from restore_drill.core.units import show_bytes, show_count, show_duration
from restore_drill.results.charts import Dot, calendar, line, meter
from restore_drill.watch.history import Drill
from restore_drill.watch.judgement import Rules, Series, seconds_since

WEEKS = 26
WORST = ("failed", "could-not-run", "incomplete", "skipped", "missed", "passed", "")
"""Verdicts of a day; that which comes first here is shown."""

Show = Callable[[float], str]


def tiles_of(series: Series, rules: Rules, now: datetime) -> list[dict[str, Any]]:
    """What was measured last, each against its limit where it has one."""
    last = series.last_pass
    if not last:
        return []
    age = seconds_since(last, now)
    tiles = [tile("Last pass", age, rules.limit, show_duration, " ago")]
    for label, name in (("Restore", "restore"), ("Verification", "verify"), ("Backup age", "age")):
        tiles.append(tile(label, getattr(last, name), last.budgets.get(name), show_duration))
    tiles.append(tile("Rows", last.rows, None, lambda count: f"{count:,.0f}"))
    tiles.append(tile("Size", last.size, None, show_bytes))
    return [each for each in tiles if each]


def tile(
    label: str, value: float | None, limit: float | None, show: Show, after: str = ""
) -> dict[str, Any]:
    """One number with its limit; empty where it is not known."""
    if value is None:
        return {}
    of = f"limit {show(limit)}" if limit is not None else ""
    sentence = f"{label}: {show(value)}" + (f" of {show(limit)}" if limit is not None else "")
    bar = meter(value, limit, sentence) if limit is not None else Markup()
    is_over = limit is not None and value > limit
    return {"label": label, "value": show(value) + after, "of": of, "bar": bar, "is_over": is_over}


def calendar_of(series: Series, rules: Rules, now: datetime) -> dict[str, Any]:
    """The last half year, and in words what it shows."""
    today = now.date()
    days = dict.fromkeys(missed_days(series.drills, rules, now), "missed")
    if series.skip and series.skip.until:
        first, last = series.skip.at.date(), min(series.skip.until, today)
        skipped = (first + timedelta(days=n) for n in range((last - first).days + 1))
        days |= dict.fromkeys(skipped, "skipped")
    for drill in series.drills:
        day = drill.at.date()
        days[day] = min(days.get(day, ""), drill.verdict, key=rank)
    recent = [each for each in series.drills if each.at.date() > today - timedelta(weeks=WEEKS)]
    passed = sum(drill.has_passed for drill in recent)
    words = f"{show_count(len(recent), 'drill')} in {WEEKS} weeks, {passed} passed"
    missed = sum(verdict == "missed" for verdict in days.values())
    words += f", {missed} missed" if missed else ""
    return {"chart": calendar(days, today, words, weeks=WEEKS), "words": words}


def missed_days(drills: Sequence[Drill], rules: Rules, now: datetime) -> Iterator[date]:
    """Days of the last half year on which a drill was scheduled, and none came in time."""
    if not rules.every:
        return
    every, allowed = timedelta(seconds=max(rules.every, 86400)), timedelta(seconds=rules.limit)
    oldest = now - timedelta(weeks=WEEKS)
    times = [drill.at for drill in drills] + [now]
    for before, after in pairwise(times):
        due = before + every
        while due + (allowed - every) < after:
            if due > oldest:
                yield due.date()
            due += every


def rank(verdict: str) -> int:
    """How much a verdict counts among those of one day."""
    return WORST.index(verdict) if verdict in WORST else len(WORST)


def charts_of(drills: Sequence[Drill]) -> list[dict[str, Any]]:
    """Times against their budgets, rows and sizes, drill by drill."""
    wanted: tuple[tuple[str, str, Show], ...] = (
        ("Restore time", "restore", show_duration),
        ("Verification time", "verify", show_duration),
        ("Age of the backup", "age", show_duration),
        ("Rows", "rows", lambda count: f"{count:,.0f}"),
        ("Size of the backup", "size", show_bytes),
    )
    found = []
    for title, name, show in wanted:
        values = [value for drill in drills if (value := getattr(drill, name)) is not None]
        dots = [
            Dot(drill.at.timestamp(), getattr(drill, name), not drill.has_passed)
            for drill in drills
        ]
        budget = drills[-1].budgets.get(name) if drills else None
        words = (
            f"{show(values[0])} to {show(values[-1])}, at most {show(max(values))}"
            if values
            else ""
        )
        words += f"; limit {show(budget)}" if budget is not None and values else ""
        if chart := line(dots, f"{title}: {words}", budget=budget):
            found.append({"title": title, "chart": chart, "words": words})
    return found

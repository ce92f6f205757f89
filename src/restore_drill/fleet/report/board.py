"""`dashboard` over a fleet: a page of all databases, and for each one of its own."""

from __future__ import annotations

import platform
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

from restore_drill import __version__
from restore_drill.core.printable import printable_json
from restore_drill.core.units import show_count, show_duration, show_time
from restore_drill.fleet.model import Inventory
from restore_drill.fleet.report.cells import SHOWN, Shown, cells_of, trend_of
from restore_drill.fleet.report.judged import STATES, Judged
from restore_drill.fleet.report.page import page_of
from restore_drill.fleet.report.status import for_programs, steps
from restore_drill.fleet.report.view import DAYS, share_chart, undecided_of
from restore_drill.watch.site.pages import pages_of_series
from restore_drill.watch.site.view import slug_of, view_of

HEADS = (
    "State", "Database", "Drills", "Restore trend", "Last pass", "Pass by", "Restore", "Rows",
    "Problem", "Details",
)  # fmt: skip
IN_WORDS = {"passed": "in order", "unknown": "not known"}
"""Of states, where their name is no words."""


def pages_of_fleet(
    found: Sequence[Judged], inventory: Inventory, now: datetime, folder: Path
) -> dict[str, str]:
    """Text of each file of the site that is to lie in `folder`, by its path there."""
    series = folder / "series"
    views = [view_of(each.series, each.database.name, each.rules, now, series) for each in found]
    pages = {"index.html": index_of(found, inventory, now)}
    pages |= pages_of_series(views, now, back=f"Restore drills of {inventory.path}")
    pages["status.json"] = printable_json(for_programs(found, inventory), indent=1) + "\n"
    return pages


def index_of(found: Sequence[Judged], inventory: Inventory, now: datetime) -> str:
    """The page of all databases."""
    bad = sum(each.series.problem is not None for each in found)
    total = show_count(len(found), "database")
    counts = Counter(each.state for each in found)
    has = "have" if bad > 1 else "has"
    word = f"{bad:,} of {total} {has} a problem" if bad else "All databases are in order"
    return page_of(
        title=f"Restore drills: {word}",
        kind="board",
        verdict="failed" if bad or not found else "passed",
        eyebrow=f"Restore drills of {inventory.path} · as of {show_time(now)}; this page does not "
        "update itself",
        word=word,
        tally=covered(found),
        counts=[(each, f"{counts[each]:,} {in_words(each)}") for each in STATES if counts[each]],
        steps=steps(found, has_pages=True),
        share=coverage_of(found, now),
        heads=HEADS,
        rows=[row_of(each) for each in found],
        footer=f"restore-drill {__version__}, Python {platform.python_version()}",
        **undecided_of(inventory.undecided),
    )


def in_words(state: str) -> str:
    """`in order`, `could not run`."""
    return IN_WORDS.get(state, state.replace("-", " "))


def covered(found: Sequence[Judged]) -> str:
    """How many databases have passed, and not too long ago; the rest is not expected to."""
    expected = [each for each in found if each.state not in ("retired", "skipped")]
    unsteady = sum(each.state == "unsteady" for each in expected)
    proved = sum(each.state == "passed" for each in expected) + unsteady
    of_them = f", {unsteady:,} of them unsteady" if unsteady else ""
    out = f"; {left:,} not expected to" if (left := len(found) - len(expected)) else ""
    return f"{proved:,} of {show_count(len(expected), 'database')} passed in time{of_them}{out}"


def row_of(each: Judged) -> dict[str, Any]:
    """One database; what is not known is an empty text."""
    drills, last = each.series.drills, each.series.last_pass
    shown = [Shown(one.at, one.verdict, one.restore) for one in reversed(drills[-SHOWN:])]
    limit = last.budgets.get("restore") if last else None
    until = last.at + timedelta(seconds=each.rules.limit) if last else None
    is_expected = each.state not in ("retired", "skipped")
    return {
        "name": each.database.name,
        "owner": each.database.owner,
        "labels": [f"{key}={value}" for key, value in each.database.labels.items()],
        "state": each.state,
        "word": in_words(each.state).upper(),
        "cells": cells_of(shown),
        "trend": trend_of(shown),
        "age": minute(last.at) if last else "" if each.state == "unknown" else "never",
        "data_age": minute(until) if until and is_expected else "",
        "max_age": "",
        "is_old": each.state == "overdue",
        "restore": "" if last is None or last.restore is None else show_duration(last.restore),
        "max_restore": "" if limit is None else show_duration(limit),
        "is_slow": bool(last and limit and (last.restore or 0) > limit),
        "rows": "" if last is None or last.rows is None else f"{last.rows:,}",
        "why": why_of(each),
        "full": why_of(each),
        "note": "",
        "more": 0,
        "report": f"series/{slug_of(each.database.name)}.html",
    }


def why_of(each: Judged) -> str:
    """What is wrong, or what is skipped; after a red drill what it found first."""
    problem, skip = each.series.problem, each.series.skip
    if problem and problem.cause == "failed" and (found := each.series.drills[-1].findings):
        return found[0]
    return each.series.what or (skip.words if skip else "")


def minute(when: datetime) -> str:
    """`2026-11-30 05:12`, in UTC: a page is looked at later than it was made."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"


def coverage_of(found: Sequence[Judged], now: datetime) -> dict[str, Any] | None:
    """The share of databases that had passed in time, day by day; None for fewer than two days."""
    passes = [
        ([drill.at for drill in each.series.drills if drill.has_passed], each.rules.limit)
        for each in found
        if each.state != "retired"
    ]
    begun = min((times[0].date() for times, _ in passes if times), default=now.date())
    first = max(begun, now.date() - timedelta(days=DAYS - 1))
    days = [first + timedelta(days=n) for n in range((now.date() - first).days + 1)]
    if len(days) < 2:
        return None
    shares = [(day, share_on(min(end_of(day), now), passes)) for day in days]
    return share_chart("Share of databases proved in time", shares)


def end_of(day: date) -> datetime:
    """Its last moment, in UTC."""
    return datetime.combine(day, clock.max, UTC)


def share_on(when: datetime, passes: Sequence[tuple[Sequence[datetime], float]]) -> float:
    """Share of databases that had passed in time `when`, by their `passes` and limits."""
    good = 0
    for times, limit in passes:
        place = bisect_right(times, when)
        good += place > 0 and (when - times[place - 1]).total_seconds() <= limit
    return good / len(passes)

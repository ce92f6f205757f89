"""What the page of a run shows: texts and charts, the troubled databases first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from restore_drill.core.units import show_duration, show_time
from restore_drill.fleet.report.cells import cells_of, drills_of, trend_of
from restore_drill.fleet.report.lines import problem_of, took_words
from restore_drill.fleet.report.outcome import WORDS, Outcome
from restore_drill.fleet.report.run import Fleet, in_words, tally
from restore_drill.fleet.report.steps import next_steps
from restore_drill.results.charts import Dot, line
from restore_drill.watch.history import Drill

DAYS = 60
"""So many days with drills are in the line of the whole fleet."""
UNDECIDED = 200
"""So many undecided databases are named."""

Histories = Mapping[str, Sequence[Drill]]


def view_of(fleet: Fleet, histories: Histories, top: Path) -> dict[str, Any]:
    """Everything that the page of `fleet`, which is to lie in `top`, shows."""
    rows = fleet.rows
    return {
        "verdict": fleet.verdict,
        "word": "NOTHING WAS DUE" if fleet.verdict == "not-due" else WORDS[fleet.verdict],
        "tally": tally(fleet) + took_words(fleet),
        "eyebrow": f"Restore drills of {fleet.inventory} · {show_time(fleet.started)}",
        "is_interrupted": fleet.is_interrupted,
        "counts": [
            (state, f"{count:,} {in_words(state)}") for state, count in fleet.counts.items()
        ],
        "steps": next_steps(fleet),
        "rows": [row_of(each, histories.get(each.name, ()), fleet, top) for each in rows],
        "share": share_of(fleet, histories),
        **undecided_of(fleet.undecided),
    }


def undecided_of(names: Sequence[str]) -> dict[str, Any]:
    """What is shown of databases that were discovered, and that nobody has named."""
    return {
        "undecided": list(names[:UNDECIDED]),
        "more_undecided": max(len(names) - UNDECIDED, 0),
    }


def row_of(outcome: Outcome, before: Sequence[Drill], fleet: Fleet, top: Path) -> dict[str, Any]:
    """One database; what was not measured is an empty text."""
    measured = outcome.measured
    drills = drills_of(outcome, before, fleet.started)
    limit = measured.max_age or next(
        (each.budgets["age"] for each in reversed(before) if "age" in each.budgets), None
    )
    return {
        "name": outcome.name,
        "owner": outcome.database.owner,
        "labels": [f"{key}={value}" for key, value in outcome.database.labels.items()],
        "state": outcome.shown_state,
        "word": word_of(outcome),
        "cells": cells_of(drills),
        "trend": trend_of(drills),
        "age": shown(measured.age),
        "data_age": shown(measured.data_age),
        "max_age": shown(limit),
        "is_old": measured.is_old,
        "restore": shown(measured.restore),
        "max_restore": shown(measured.max_restore),
        "is_slow": measured.is_slow,
        "rows": "" if measured.rows is None else f"{measured.rows:,}",
        "why": problem_of(outcome),
        "full": outcome.why,
        "note": outcome.why if outcome.shown_state == "not-due" else "",
        "more": measured.findings - 1,
        "report": report_link(outcome, top),
    }


def word_of(outcome: Outcome) -> str:
    """`PASSED (proven)`, `FAILED after 3 tries`."""
    is_proved = outcome.is_green and outcome.measured.strength
    strength = f" ({outcome.measured.strength})" if is_proved else ""
    tries = f" after {outcome.tries} tries" if outcome.tries > 1 else ""
    return f"{outcome.word}{strength}{tries}"


def shown(seconds: float | None) -> str:
    """A duration, empty where it is not known."""
    return "" if seconds is None else show_duration(seconds)


def report_link(outcome: Outcome, top: Path) -> str:
    """Link from a page in `top` to the drill's own; empty where it has left none."""
    path = outcome.folder and outcome.folder / "report.html"
    if path is None or not os.path.isfile(path):  # noqa: PTH113 - raises nothing
        return ""
    return quote(Path(os.path.relpath(path, top)).as_posix())


def share_of(fleet: Fleet, histories: Histories) -> dict[str, Any] | None:
    """How many of the drills of each day have passed; None where they are of fewer than two."""
    days: dict[date, list[bool]] = {}
    for name in fleet.databases:
        for each in histories.get(name, ()):
            if each.at < fleet.started:
                days.setdefault(each.at.date(), []).append(each.has_passed)
    today = [each.is_green for each in fleet.rows if each.state != "not-due"]
    days.setdefault(fleet.started.date(), []).extend(today)
    found = [(day, each) for day, each in sorted(days.items()) if each][-DAYS:]
    if len(found) < 2:
        return None
    shares = [(day, sum(each) / len(each)) for day, each in found]
    return share_chart("Share of drills that passed", shares)


def share_chart(what: str, shares: Sequence[tuple[date, float]]) -> dict[str, Any]:
    """A line of the `shares` of some days, and in words `what` it shows."""
    (first, old), (last, new) = shares[0], shares[-1]
    words = f"{what}: {old:.0%} on {first}, {new:.0%} on {last}"
    dots = [Dot(float(day.toordinal()), share, is_bad=share < 1) for day, share in shares]
    chart: Markup = line(dots, words, budget=1.0)  # the whole height is all of them
    return {"words": words, "chart": chart}

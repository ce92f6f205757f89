"""The small parts of a row of the page: the drills as coloured cells, and their trend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup

from restore_drill.core.units import show_duration
from restore_drill.fleet.report.outcome import Outcome
from restore_drill.results.charts import Dot, line
from restore_drill.watch.history import Drill
from restore_drill.watch.judgement import in_words

SHOWN = 10
"""So many drills of a database are in its row, with that of this run."""
SIGNS = {
    "passed": ("p", "✓"),
    "warnings": ("p", "✓"),
    "failed": ("f", "✗"),
    "could-not-run": ("c", "!"),
    "not-begun": ("c", "-"),
    "not-due": ("n", "·"),
}
"""Class and text of a cell, by verdict or state; those of other verdicts are OTHER."""
OTHER = ("n", "~")
CELL = Markup('<i class="{}" title="{}">{}</i>')


class Shown(NamedTuple):
    """One drill in a row: when it began (None: not at all), its verdict, and restore time."""

    at: datetime | None
    verdict: str
    restore: float | None


def drills_of(outcome: Outcome, before: Sequence[Drill], started: datetime) -> list[Shown]:
    """The drill of this run that `started`, then those `before` it (oldest first), newest first.

    What the history has of this very run is left out.
    """
    measured = outcome.measured
    mine, first = Shown(None, outcome.state, None), started
    if outcome.state != "not-due":
        mine = Shown(measured.started, outcome.state, measured.restore)
        first = min(filter(None, (started, measured.started)))
    earlier = [
        Shown(each.at, each.verdict, each.restore)
        for each in reversed(before)
        if (first - each.at).total_seconds() > 0
    ]
    return [mine, *earlier[: SHOWN - 1]]


def cells_of(drills: Sequence[Shown]) -> Markup:
    """A cell for each of `drills`."""
    return Markup().join(map(cell, drills))


def cell(drill: Shown) -> Markup:
    """One drill: its colour, a sign, and in words when and how it ended."""
    kind, sign = SIGNS.get(drill.verdict, OTHER)
    when = f"{drill.at:%Y-%m-%d %H:%M} " if drill.at else ""
    known = drill.verdict if drill.verdict in SIGNS else "incomplete"
    return CELL.format(kind, f"{when}{in_words(known)}", sign)


def trend_of(drills: Sequence[Shown]) -> Markup:
    """Line of the restore times of `drills`, newest first; empty where fewer than two have one."""
    known = [each for each in reversed(drills) if each.restore is not None]
    if len(known) < 2:
        return Markup()
    first, last = (show_duration(each.restore or 0) for each in (known[0], known[-1]))
    return line(list(dots_of(known)), f"Restore time, oldest first: {first} to {last}")


def dots_of(drills: Sequence[Shown]) -> Iterator[Dot]:
    """A dot for each of `drills`, evenly spaced: what has no date would have no place."""
    for place, each in enumerate(drills):
        yield Dot(place, each.restore, each.verdict not in ("passed", "warnings"))

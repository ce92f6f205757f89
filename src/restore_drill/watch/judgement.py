"""Whether the drills of each series are in order: the last has passed, and not too long ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from restore_drill.core.units import show_duration
from restore_drill.watch.history import Drill, by_series

RECENT = 4
"""So many drills back a pass may stand among failures: of them most must have passed."""


class Problem(NamedTuple):
    """What is wrong with the drills of a series; `cause` is the key of its remedy."""

    what: str
    cause: str


class Series(NamedTuple):
    """Drills of one series, oldest first, and the problem with them, if there is one."""

    name: str
    drills: list[Drill]
    problem: Problem | None

    @property
    def title(self) -> str:
        """How it is called."""
        return self.name or "no backup was found"

    @property
    def what(self) -> str:
        """The problem in words, empty where there is none."""
        return self.problem.what if self.problem else ""


def judge(drills: Sequence[Drill], limit: float, now: datetime) -> list[Series]:
    """Each series with its problem.

    One that passed in its only drill is not judged by its age while others are drilled: names that
    hold a commit or a random part make a series of each backup.
    """
    judged = [
        Series(name, of_it, problem_of(of_it, limit, now))
        for name, of_it in (by_series(drills) or {"": []}).items()
    ]
    if not drills or problem_of(drills[-1:], limit, now):
        return judged
    return [each._replace(problem=None) if is_single_pass(each) else each for each in judged]


def is_single_pass(series: Series) -> bool:
    """Whether `series` has one drill, which has passed."""
    return len(series.drills) == 1 and series.drills[0].has_passed


def problem_of(drills: Sequence[Drill], limit: float, now: datetime) -> Problem | None:
    """What is wrong with `drills`, None where nothing is.

    The last drill has passed and is younger than `limit` seconds, and not one pass among
    failures: of the last four at most one has not passed, or the last two have.
    """
    if not drills:
        return Problem("no drill has been noted", "not_run")
    last = drills[-1]
    if not last.has_passed:
        first = f", first {last.red[0]}" if last.red else ""
        return Problem(f"the last drill {in_words(last.verdict)}{first}", "failed")
    age = (now - last.at).total_seconds()
    if age > limit:
        what = f"the last drill passed {show_duration(age)} ago; the limit is"
        return Problem(f"{what} {show_duration(limit)}", "not_run")
    recent = drills[-RECENT:]
    reds = sum(not drill.has_passed for drill in recent)
    if reds > 1 and not all(drill.has_passed for drill in recent[-2:]):
        what = f"{reds} of the last {len(recent)} drills did not pass, though the last one did"
        return Problem(what, "unsteady")
    return None


def in_words(verdict: str) -> str:
    """`failed`, `could not run`."""
    return verdict.replace("-", " ")

"""Whether the drills of each series are in order: the last has passed, and not too long ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from restore_drill.config.criteria import Criteria
from restore_drill.core.units import show_count, show_duration
from restore_drill.watch.groups import by_series
from restore_drill.watch.history import Drill, History
from restore_drill.watch.skips import Skip, open_skip

RECENT = 4
"""So many drills back a pass may stand among failures: of them most must have passed."""
MANY = 10
"""Of so many drills..."""
SHARE = 0.25
"""...a larger share than this must have passed, however the last ones went."""
WEEKLY_LIMIT = 8 * 86400.0
"""Seconds that the last pass may be old where no schedule is set."""

CENTURY = 36500 * 86400.0
"""Seconds that no limit exceeds: dates that are counted from it must exist."""


class Rules(NamedTuple):
    """Seconds that the last pass may be old, and after which a drill is scheduled, where it is."""

    limit: float = WEEKLY_LIMIT
    every: float | None = None

    @classmethod
    def of(cls, criteria: Criteria, limit: float | None = None) -> Rules:
        """As the criteria file's `[schedule]` has it; a `limit` that is given goes first."""
        every = criteria.schedule_every
        if limit is None and every is not None:
            return cls.scheduled(every, criteria.schedule_grace)
        limit = WEEKLY_LIMIT if limit is None else limit
        return cls(min(limit, CENTURY), None if every is None else min(every, CENTURY))

    @classmethod
    def scheduled(cls, every: float, grace: float | None = None) -> Rules:
        """A drill each `every` seconds, which may be late by `grace`: by a seventh if None."""
        limit = every + (max(every / 7, 3600.0) if grace is None else grace)
        return cls(min(limit, CENTURY), min(every, CENTURY))


class Problem(NamedTuple):
    """What is wrong with the drills of a series; `cause` is the key of its remedy."""

    what: str
    cause: str


class Series(NamedTuple):
    """Drills of one series, oldest first, and the problem with them, if there is one.

    `skip` is in force, or was not made up for. `missed` scheduled drills did not come.
    """

    name: str
    drills: list[Drill]
    problem: Problem | None
    skip: Skip | None = None
    missed: int = 0

    @property
    def title(self) -> str:
        """How it is called."""
        return self.name or "no backup was found"

    @property
    def what(self) -> str:
        """The problem in words, empty where there is none."""
        return self.problem.what if self.problem else ""

    @property
    def share(self) -> float | None:
        """Share of the last drills that have passed, None without a drill."""
        recent = self.drills[-MANY:]
        return sum(drill.has_passed for drill in recent) / len(recent) if recent else None

    @property
    def last_pass(self) -> Drill | None:
        """The last drill that has passed."""
        return next((each for each in reversed(self.drills) if each.has_passed), None)


def judge(history: History, rules: Rules, now: datetime) -> list[Series]:
    """Each series with its problem."""
    found = by_series(history.drills) or {"": []}
    return [judge_series(name, of_it, history, rules, now) for name, of_it in found.items()]


def judge_series(
    name: str, drills: list[Drill], history: History, rules: Rules, now: datetime
) -> Series:
    """The series `name`; a skip excuses a drill that did not come, never one that failed."""
    problem = problem_of(drills, rules, now) or lost_since(drills, history)
    skip = open_skip(history.skips, name, drills, now)
    if skip and skip.has_ended(now):
        what = f"no drill has run since the skip that ended on {skip.until}"
        problem = problem if problem and problem.cause == "failed" else Problem(what, "skipped")
    elif (skip and problem and problem.cause == "not_run") or (skip and not skip.until):
        problem = None
    missed = 0 if skip and not problem else missed_of(drills, rules, now)
    return Series(name, drills, problem, skip, missed)


def seconds_since(drill: Drill, now: datetime) -> float:
    """Age of `drill`; one whose machine's clock is ahead began just now."""
    return max((now - drill.at).total_seconds(), 0.0)


def missed_of(drills: Sequence[Drill], rules: Rules, now: datetime) -> int:
    """How many scheduled drills did not come since the last one."""
    if rules.every is None or not drills:
        return 0
    age = seconds_since(drills[-1], now)
    return int(age // rules.every) if age > rules.limit else 0


def problem_of(drills: Sequence[Drill], rules: Rules, now: datetime) -> Problem | None:
    """What is wrong with `drills`, None where nothing is.

    The last drill has passed and is not too old, and it is not one pass among failures: of the
    last four at most one has not passed, or the last two have, and of the last ten more than a
    quarter.
    """
    if not drills:
        return Problem("no drill has been recorded", "not_run")
    last = drills[-1]
    if not last.has_passed:
        first = f"; first finding: {last.red[0]}" if last.red else ""
        return Problem(f"the last drill {in_words(last.verdict)}{first}", "failed")
    age = seconds_since(last, now)
    if age > rules.limit:
        what = f"the last drill passed {show_duration(age)} ago; the limit is"
        what = f"{what} {show_duration(rules.limit)}"
        if missed := missed_of(drills, rules, now):
            what += f" ({show_count(missed, 'scheduled drill')} missed)"
        return Problem(what, "not_run")
    return unsteadiness(drills)


def lost_since(drills: Sequence[Drill], history: History) -> Problem | None:
    """That an entry after the last of `drills` cannot be read: it may have been red."""
    count = sum(line > drills[-1].line for line in history.lost) if drills else 0
    if not count:
        return None
    entries = show_count(count, "entry", "entries")
    what = f"{entries} of the history after the last pass cannot be read: a failed drill, perhaps"
    return Problem(what, "lost")


def unsteadiness(drills: Sequence[Drill]) -> Problem | None:
    """That drills fail on and off, or mostly, though the last one has passed."""
    recent = drills[-RECENT:]
    is_back = all(drill.has_passed for drill in recent[-2:])
    if is_back:
        recent = drills[-MANY:]
    reds = sum(not drill.has_passed for drill in recent)
    is_bad = 1 - reds / len(recent) <= SHARE if is_back else reds > 1
    if not is_bad:
        return None
    what = f"{reds} of the last {len(recent)} drills did not pass, though the last one did"
    return Problem(what, "unsteady")


def in_words(verdict: str) -> str:
    """`failed`, `could not run`."""
    return verdict.replace("-", " ")

"""Earlier drills as a report shows them beside this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

WORST = ("failed", "could-not-run", "incomplete", "passed", "sample", "skipped")
"""Verdicts; of several on one day the calendar shows the one that stands first here."""


class Past(NamedTuple):
    """A drill of the same series: ages and times in seconds, None for what it did not get to."""

    at: datetime
    verdict: str
    age: float | None = None
    size: int | None = None
    rows: int | None = None
    restore: float | None = None
    verify: float | None = None
    total: float | None = None
    tables: Mapping[str, int] = {}

    @property
    def is_bad(self) -> bool:
        """Whether it did not pass."""
        return self.verdict != "passed"

    @property
    def recovery(self) -> float | None:
        """Seconds to restore and to verify."""
        if self.restore is None or self.verify is None:
            return None
        return self.restore + self.verify


@dataclass(frozen=True)
class Background:
    """What is known beside a drill's own result.

    `drills` are those of its series, oldest first, this one the last where all of it ran;
    `outlook` what their growth means, a sentence each; `max_age` the budget of the backup's age in
    seconds.
    """

    drills: Sequence[Past] = ()
    outlook: Sequence[str] = ()
    max_age: float | None = None

    def before(self, started_at: str) -> list[Past]:
        """The drills that began before `started_at` (ISO 8601)."""
        moment = datetime.fromisoformat(started_at)
        return [each for each in self.drills if each.at < moment]


def days_of(drills: Sequence[Past]) -> dict[date, str]:
    """Verdict of each day on which there was a drill: the worst of its drills."""
    found: dict[date, str] = {}
    for each in drills:
        day = each.at.date()
        found[day] = min(found.get(day, each.verdict), each.verdict, key=rank)
    return found


def rank(verdict: str) -> int:
    """How bad a verdict is, the worst first."""
    return WORST.index(verdict) if verdict in WORST else len(WORST)

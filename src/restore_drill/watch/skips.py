"""A drill that is skipped on purpose: why, approved by whom, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol, Self

from restore_drill.core.json_values import text

KIND = "skip"
LONGEST = timedelta(days=92)
"""How far its end may lie ahead: nobody decides today that next year needs no drill."""


@dataclass(frozen=True)
class Skip:
    """Drills need not come until the end of the day `until` (UTC); after it one must have come.

    `by` has recorded it at the time `at`; `series` is None where it holds for all. Without `until`
    the series is retired: no drill of it is expected, until there is one again. `line` is where it
    stands in the history: no clock says what came after it.
    """

    at: datetime
    reason: str
    approved_by: str
    by: str
    until: date | None
    series: str | None = None
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any], line: int = 0) -> Self:
        """Skip from a line; KeyError, TypeError or ValueError where it is none."""
        if raw["kind"] != KIND:
            raise ValueError("it is of another kind")
        at = datetime.fromisoformat(text(raw["at"])).astimezone(UTC)
        until = None if raw["until"] is None else date.fromisoformat(text(raw["until"]))
        if until is not None and until - at.date() > LONGEST + timedelta(days=1):
            raise ValueError("it lasts longer than any that is recorded")
        return cls(
            at=at,
            **{name: text(raw[name]) for name in ("reason", "approved_by", "by")},
            until=until,
            series=None if raw["series"] is None else text(raw["series"]),
            line=line,
        )

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        until = self.until and self.until.isoformat()
        values = {name: value for name, value in asdict(self).items() if name != "line"}
        return {"kind": KIND, **values, "at": self.at.isoformat(), "until": until}

    @property
    def retires(self) -> bool:
        """Whether no drill of its series is expected any more."""
        return self.until is None

    def is_of(self, series: str) -> bool:
        """Whether it holds for `series`; one of all retires none."""
        if self.series is None:
            return self.until is not None
        return series == self.series or series.startswith(f"{self.series} (")

    def has_ended(self, now: datetime) -> bool:
        """Whether its last day is over."""
        return self.until is not None and now >= end_of(self.until)

    @property
    def words(self) -> str:
        """`skipped until 2026-12-05: the machine is moved (approved by ann)`."""
        what = f"skipped until {self.until}" if self.until else "retired"
        return f"{what}: {self.reason} (approved by {self.approved_by}, {self.at:%Y-%m-%d})"

    def words_of_drill(self, now: datetime) -> str:
        """What it means for a drill that begins `now`."""
        if not self.until:
            return f"this series was {self.words}; from now on drills of it are expected again"
        if self.has_ended(now):
            return f"drills were {self.words}; this is the first one since"
        return f"drills are {self.words}; this one ran all the same, and no other is due afterwards"


def end_of(day: date) -> datetime:
    """When `day` is over, in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


class Noted(Protocol):
    """A drill in the history."""

    @property
    def line(self) -> int:
        """Where it stands there."""


def open_skip(
    skips: Sequence[Skip], series: str, drills: Iterable[Noted], now: datetime
) -> Skip | None:
    """The skip that counts for `series` and its `drills`: in force, or not made up since.

    A drill that was noted after it makes up for it, and ends it; one of a series that was retired
    has it expected again.
    """
    last = max((each.line for each in drills), default=-1)
    found = [each for each in skips if each.is_of(series)]
    in_force = [each for each in found if each.until and not each.has_ended(now)]
    unmet = [each for each in found if each.line > last]
    if retired := [each for each in unmet if each.until is None]:
        return retired[-1]  # whatever is skipped for all
    return max(in_force or unmet, key=lambda each: each.line, default=None)

"""Sections about the drills themselves: how often they come, and how much may change in time."""

from __future__ import annotations

from typing import Any

from restore_drill.config.criteria.due import Due
from restore_drill.config.criteria.kinds import Duration, Names, Number, Share
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.sections import Key, Section

TRENDS = ("restore", "rows", "size", "growth")
"""What is compared with earlier drills."""


def schedule_of(place: Place, values: dict[str, Any]) -> dict[str, Any]:
    """The section `[schedule]`."""
    if "schedule_grace" in values and "schedule_every" not in values:
        raise place.error("grace needs every: say how often drills are due, like every = '7d'")
    return values


class Weeks(Number):
    """A number of weeks, ten years at most."""

    def read(self, place: Place, value: Any) -> float:
        """The number."""
        weeks = super().read(place, value)
        if not 0 <= weeks <= 520:
            raise place.error(f"{place.name} must be a number from 0 to 520, not {value!r}")
        return weeks

    def schema(self) -> dict[str, Any]:
        """Its bounds."""
        return {"type": "number", "minimum": 0, "maximum": 520}


class Trends(Names):
    """A list of names of trends."""

    def read(self, place: Place, value: Any) -> list[str]:
        """The names; an unknown one is refused."""
        names = super().read(place, value)
        if unknown := [name for name in names if name not in TRENDS]:
            raise place.error(f"{unknown[0]!r} is unknown; choose from {', '.join(TRENDS)}")
        return names

    def schema(self) -> dict[str, Any]:
        """A list of these names."""
        return {"type": "array", "items": {"enum": list(TRENDS)}}


SCHEDULE = Section(
    {
        "every": Key(Due(), "how often a drill is due: 7d", "schedule_every"),
        "grace": Key(
            Duration(), "how late it may be (default: a seventh of that)", "schedule_grace"
        ),
    },
    "[schedule]",
    build=schedule_of,
)

TREND = Section(
    {
        "max_slowdown": Key(
            Share(), "how much slower than usual a restore may be, as a share (default: 0.4)"
        ),
        "max_fall": Key(
            Share(1), "share of the usual rows, and of the usual size, that may be missing (0.2)"
        ),
        "weeks": Key(
            Weeks(), "how many weeks ahead no budget may be exceeded (default: 8)", "trend_weeks"
        ),
        "fail": Key(
            Trends("trends"), "trends that fail the drill; others are warnings", "failing_trends"
        ),
    },
    "[trend]",
)

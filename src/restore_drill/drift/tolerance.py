"""How far rows may be from those of a measure."""

from __future__ import annotations

from dataclasses import dataclass

from restore_drill.config.criteria import Criteria
from restore_drill.core.units import show_count
from restore_drill.facts.schema.model import High


@dataclass(frozen=True)
class Tolerance:
    """How far rows may be from those of the measure, as the criteria file says."""

    criteria: Criteria

    def bounds(self, table: str, was: int) -> tuple[float, float | None]:
        """Fewest and most rows (None: any number) that `table` may have where it had `was`."""
        growth = self.criteria.max_growth
        least = was * (1 - self.criteria.shrink_of(table))
        return least, None if growth is None else was * (1 + growth)

    def holds(self, table: str, was: int, now: int) -> bool:
        """Whether `now` rows are within the bounds."""
        least, most = self.bounds(table, was)
        return least <= now and (most is None or now <= most)

    def shrinkage(self, table: str, was: int, now: int) -> str:
        """How `now` rows break the bounds, empty where they hold."""
        if self.holds(table, was, now):
            return ""
        least, most = self.bounds(table, was)
        bounds = f"at least {least:,.0f}" + (f" and at most {most:,.0f}" if most else "")
        return f"has {show_count(now, 'row')}, it had {was:,}; allowed: {bounds}"

    def shrinkage_since(self, table: str, high: High, was: int, now: int) -> str:
        """How `now` rows are too few against the most there were, empty where they are not."""
        least, _ = self.bounds(table, high.rows)
        if least <= now:
            return ""
        return (
            f"has {show_count(now, 'row')}, it had {was:,} then and {high.rows:,} in {high.drill}: "
            f"it shrinks a little every time; allowed: at least {least:,.0f}"
        )

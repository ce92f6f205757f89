"""Patterns of names of keys, which stand in a command that is copied from the terminal."""

from __future__ import annotations

from typing import Any

from restore_drill.config.criteria.kinds import Names, Schema
from restore_drill.config.criteria.place import Place


class Patterns(Names):
    """A list of patterns that stand in a command to be copied: of what can be seen alone."""

    def read(self, place: Place, value: Any) -> list[str]:
        """The patterns."""
        patterns = super().read(place, value)
        for each in patterns:
            if not each or not each.isprintable():
                raise place.error(
                    f"{place.name} must be a list of {self.of} without control characters; "
                    f"{each!r} is empty or has one: put ? in the place of each of its bytes"
                )
        return patterns

    def schema(self) -> Schema:
        """A list of texts without control characters."""
        return {"type": "array", "items": {"type": "string", "pattern": r"^[^\x00-\x1f\x7f]+$"}}

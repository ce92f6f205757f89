"""How often something is due, in the criteria file."""

from __future__ import annotations

from typing import Any

from restore_drill.config.criteria.kinds import Duration, Schema
from restore_drill.config.criteria.place import Place


class Due(Duration):
    """How often something is due: a minute at least, as who wrote `every = 7` meant days."""

    LEAST = 60

    def read(self, place: Place, value: Any) -> float:
        """Seconds."""
        seconds = super().read(place, value)
        if seconds < self.LEAST:
            what = f"{place.name} must be a time like '7d', of a minute or more"
            is_one = "" if seconds == 1 else "s"
            raise place.error(f"{what}; {value!r} is {seconds:g} second{is_one}")
        return seconds

    def schema(self) -> Schema:
        """The same, where it is a number."""
        return super().schema() | {"minimum": self.LEAST}

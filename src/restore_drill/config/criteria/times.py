"""Kinds of values in the criteria file that are dates, or say how times are read."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from restore_drill.config.criteria.kinds import Schema
from restore_drill.config.criteria.place import Place


class Zone:
    """A time zone by its name."""

    def read(self, place: Place, value: Any) -> tzinfo:
        """The zone."""
        try:
            return ZoneInfo(str(value))
        except (LookupError, ValueError, OSError):
            what = f"timezone {value!r} is unknown; write it like 'Europe/Berlin'"
            raise place.error(what) from None

    def schema(self) -> Schema:
        """Any name."""
        return {"type": "string"}


class Day:
    """A date without a time."""

    def read(self, place: Place, value: Any) -> date:
        """The date."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        what = "is missing" if value is None else f"is not a date: {value!r}"
        raise place.error(f"{place.name} {what}; write its last day like 2027-01-31, unquoted")

    def schema(self) -> Schema:
        """Editors show a date of TOML to the schema as a text."""
        return {"type": "string", "format": "date"}

"""Kinds of values in the criteria file: how each is read, and what the JSON Schema says of it.

A kind that is required gets None where its key is missing, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from restore_drill.config.criteria.place import Place
from restore_drill.core.units import parse_duration

Schema = dict[str, Any]
WITH_UNIT = r"\s*\d+(\.\d+)?\s*(ms|s|sec|m|min|h|d|w)\s*"
"""Pattern of a number with the unit of a time."""
SORTS = ((bool, "true or false"), (int | float, "a number"), (list, "a list"), (dict, "a table"))
"""What a value of TOML is that is no text; others are dates."""


class Kind(Protocol):
    """How a value is read and described."""

    def read(self, place: Place, value: Any) -> Any:
        """`value` as the drill uses it; raises UsageError naming `place`."""

    def schema(self) -> Schema:
        """JSON Schema of it."""


@dataclass(frozen=True)
class Text:
    """A text that is not empty; `meaning` says what it must be. SQL keeps its blanks."""

    meaning: str
    strips: bool = True

    def read(self, place: Place, value: Any) -> str:
        """The text."""
        if value is None:
            raise place.error(f"{place.name} is missing: {self.meaning}")
        if not isinstance(value, str):
            noun = self.meaning if self.meaning.startswith(("a ", "the ")) else "a text"
            raise place.error(f"{place.name} must be {noun} in quotes, not {sort_of(value)}")
        if not value.strip():
            raise place.error(f"{place.name} must not be empty")
        return place.without_nul(value.strip() if self.strips else value)

    def schema(self) -> Schema:
        """At least one character that can be seen."""
        return {"type": "string", "pattern": r"\S"}


def sort_of(value: Any) -> str:
    """What `value` is, which is not shown: there may be a password in it."""
    return next((words for kind, words in SORTS if isinstance(value, kind)), "a date")


class Flag:
    """Yes or no."""

    def read(self, place: Place, value: Any) -> bool:
        """The truth value."""
        if not isinstance(value, bool):
            raise place.error(f"{place.name} is not true or false: {value!r}")
        return value

    def schema(self) -> Schema:
        """A truth value."""
        return {"type": "boolean"}


class Remark:
    """A text for people, of which nothing is demanded."""

    def read(self, _place: Place, value: Any) -> str:
        """The text."""
        return str(value)

    def schema(self) -> Schema:
        """Any text."""
        return {"type": "string"}


class Folder(Text):
    """A folder, counted from the criteria file's own."""

    def read(self, place: Place, value: Any) -> Any:
        """Its path."""
        return (place.path.parent / super().read(place, value)).resolve()


@dataclass(frozen=True)
class Number:
    """A number."""

    def read(self, place: Place, value: Any) -> float:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise place.error(f"{place.name} must be a number, not {value!r}")
        return value

    def schema(self) -> Schema:
        """Any number."""
        return {"type": "number"}


@dataclass(frozen=True)
class Share(Number):
    """A share like 0.1, no larger than `most`."""

    most: float | None = None

    def read(self, place: Place, value: Any) -> float:
        """The share."""
        share = super().read(place, value)
        if share < 0 or (self.most is not None and share > self.most):
            raise place.error(f"{place.name} must be a share like 0.1, not {value!r}")
        return share

    def schema(self) -> Schema:
        """Its bounds."""
        most = {} if self.most is None else {"maximum": self.most}
        return {"type": "number", "minimum": 0, **most}


@dataclass(frozen=True)
class Count(Number):
    """A whole number from 0 on: of what `of` says, if it does."""

    of: str = ""

    def read(self, place: Place, value: Any) -> int:
        """The number."""
        number = super().read(place, value)
        if not isinstance(number, int) or number < 0:
            what = f"whole number of {self.of}" if self.of else "whole number"
            raise place.error(f"{place.name} must be a {what}, not {value!r}")
        return number

    def schema(self) -> Schema:
        """A whole number."""
        return {"type": "integer", "minimum": 0}


class Duration:
    """A duration like `26h`; a number is one of seconds."""

    def read(self, place: Place, value: Any) -> float:
        """Seconds."""
        try:
            return parse_duration(str(value))
        except ValueError as error:
            raise place.error(f"{place.name} {error}; write it like '26h' or '7d'") from None

    def schema(self) -> Schema:
        """A text like `1d 2h`, or a number."""
        return {
            "type": ["string", "number"],
            "pattern": rf"^(\s*\d+(\.\d+)?\s*|({WITH_UNIT})+)$",
            "minimum": 0,
        }


@dataclass(frozen=True)
class Names:
    """A list of names of tables, or of what `of` says."""

    of: str = "table names"

    def read(self, place: Place, value: Any) -> list[str]:
        """The names."""
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise place.error(f"{place.name} must be a list of {self.of}")
        return [place.without_nul(each) for each in value]

    def schema(self) -> Schema:
        """A list of texts."""
        return {"type": "array", "items": {"type": "string"}}

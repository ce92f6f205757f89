"""Kinds of values in the rules about keys of Redis."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from restore_drill.config.criteria.kinds import Duration, Schema, Text
from restore_drill.config.criteria.place import Place


@dataclass(frozen=True)
class Choice(Text):
    """One of a few words."""

    words: tuple[str, ...] = ()

    def read(self, place: Place, value: Any) -> str:
        """The word."""
        word = super().read(place, value)
        if word not in self.words:
            near = difflib.get_close_matches(word, self.words, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(self.words)}"
            raise place.error(f"{place.name} is {word!r}; {hint}")
        return word

    def schema(self) -> Schema:
        """These words."""
        return {"enum": list(self.words)}


class Shown(Text):
    """A text that stands in messages and commands: of what can be seen alone."""

    def read(self, place: Place, value: Any) -> str:
        """The text."""
        text = super().read(place, value)
        if not text.isprintable():
            raise place.error(f"{place.name} has a control character: {text!r}")
        return text


class Columns:
    """A column, or a list of them."""

    def read(self, place: Place, value: Any) -> tuple[str, ...]:
        """The columns."""
        names = [value] if isinstance(value, str) else value
        good = isinstance(names, list) and all(isinstance(each, str) and each for each in names)
        if not good or not names:
            raise place.error(f"{place.name} must be a column, or a list of columns: {value!r}")
        return tuple(names)

    def schema(self) -> Schema:
        """A text, or a list of texts."""
        name = {"type": "string", "minLength": 1}
        return {"anyOf": [name, {"type": "array", "items": name, "minItems": 1}]}


def visible(place: Place) -> str:
    """The name of an entry, a pattern that stands in messages: of what can be seen alone."""
    if not place.name or not place.name.isprintable():
        raise place.error(f"a pattern is empty or has a control character: {place.name!r}")
    return place.name


class Lifetime(Duration):
    """How long keys of a pattern are worth anything; the pattern is shown in messages."""

    def read(self, place: Place, value: Any) -> float:
        """Seconds."""
        visible(place)
        return super().read(place, value)

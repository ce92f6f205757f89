"""Where a value stands in a file of TOML: an error in it names its line and its section."""

from __future__ import annotations

import difflib
import tomllib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restore_drill.core.errors import UsageError

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """What `keys` lead to in the file at `path`, which holds `text` and is a `kind` of file.

    `label` names the section, as people write it: `[sql]`.
    """

    path: Path
    text: str
    label: str = "the file"
    keys: Keys = ()
    kind: str = "criteria file"

    @property
    def name(self) -> str:
        """The key itself."""
        return str(self.keys[-1])

    def inside(self, key: str | int) -> Place:
        """The place of `key` within."""
        return replace(self, keys=(*self.keys, key))

    def labelled(self, label: str) -> Place:
        """The same place, in a section that is called `label`."""
        return replace(self, label=label) if label else self

    def error(self, what: str) -> UsageError:
        """Usage error that names file, line and section."""
        line = line_of(self.text, self.keys)
        where = f"{self.path}, line {line}" if line else f"{self.path}"
        return UsageError(f"{self.kind} {where}, {self.label}: {what}")

    def without_nul(self, text: str) -> str:
        """`text`; refused with a character that no path, no variable and no PostgreSQL can have."""
        if "\0" in text:
            raise self.error(f"{self.name} has a NUL character (\\u0000) in it; leave it out")
        return text

    def refuse_unknown(self, found: Iterable[str], known: Iterable[str]) -> None:
        """Refuse a key that nobody reads: it would look like a criterion and check nothing."""
        for key in found:
            if key not in known:
                near = difflib.get_close_matches(key, list(known), n=1)
                hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(known)
                raise self.inside(key).error(f"unknown key {key!r}; {hint}")


def line_of(text: str, keys: Keys) -> int:
    """Line of `text` that gives what `keys` lead to, or what holds it; 0 where none is found.

    tomllib keeps no lines. A statement has given a key when the text up to it holds the key, and so
    does any longer text.
    """
    lines = text.split("\n")
    for depth in range(len(keys), 0, -1):
        wanted = keys[:depth]
        word = next((key for key in reversed(wanted) if isinstance(key, str)), "")
        given = [number for number, line in enumerate(lines, 1) if word in line]
        at = bisect_left(given, True, key=lambda end: holds(first_whole(lines, end), wanted))
        if at < len(given):
            return given[at]
    return 0


def first_whole(lines: list[str], number: int) -> Any:
    """What the first lines hold: so many, and those in which a longer value goes on."""
    for end in range(number, len(lines) + 1):
        try:
            return tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
    return {}


def holds(value: Any, keys: Keys) -> bool:
    """Whether `keys` lead to something in `value`."""
    for key in keys:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return False
    return True

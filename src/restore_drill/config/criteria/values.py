"""Single values of the criteria file, each checked for its type."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_drill.core.errors import UsageError
from restore_drill.core.units import parse_duration


@dataclass(frozen=True)
class Values:
    """Checks values of the criteria file at `path`; a mistake is a `UsageError`."""

    path: Path

    def error(self, where: str, what: str) -> UsageError:
        """Usage error naming the file and the section `where`."""
        return UsageError(f"criteria file {self.path}, {where}: {what}")

    def known(self, where: str, found: Iterable[str], known: Iterable[str]) -> None:
        """Refuse a key that nobody reads: it would look like a criterion and check nothing."""
        for key in found:
            if key not in known:
                near = difflib.get_close_matches(key, list(known), n=1)
                hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(known)
                raise self.error(where, f"unknown key {key!r}; {hint}")

    def table(self, where: str, value: Any) -> dict[str, Any]:
        """`value` as a TOML table."""
        if not isinstance(value, dict):
            raise self.error(where, f"must be a table, not {value!r}")
        return value

    def tables(self, name: str, value: Any) -> list[dict[str, Any]]:
        """`value` as an array of tables; empty where there is none."""
        if value is not None and not (
            isinstance(value, list) and all(isinstance(each, dict) for each in value)
        ):
            raise self.error(name, f"write each as a table of its own, under [[{name}]]")
        return value or []

    def text(self, where: str, raw: dict[str, Any], key: str, why: str) -> str:
        """Text under `key`; `why` says what it must be where it is missing or empty."""
        value = raw.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(where, f"{key} is missing: {why}")
        return value.strip()

    def number(self, where: str, raw: dict[str, Any], key: str) -> float | None:
        """Number under `key`, or None."""
        value = raw.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self.error(where, f"{key} must be a number, not {value!r}")
        return value

    def rows(self, where: str, raw: dict[str, Any], key: str) -> int | None:
        """Number of rows under `key`, or None."""
        value = self.number(where, raw, key)
        if value is not None and (not isinstance(value, int) or value < 0):
            raise self.error(where, f"{key} must be a whole number of rows, not {value!r}")
        return value

    def duration(self, where: str, raw: dict[str, Any], key: str) -> float | None:
        """Seconds of the duration under `key`, or None."""
        value = raw.get(key)
        try:
            return None if value is None else parse_duration(str(value))
        except ValueError as error:
            raise self.error(where, f"{key} {error}") from None

    def folder(self, where: str, raw: dict[str, Any], key: str) -> Path | None:
        """Folder under `key`, counted from the criteria file's own; None for none."""
        if key not in raw:
            return None
        return (self.path.parent / self.text(where, raw, key, "the name of a folder")).resolve()

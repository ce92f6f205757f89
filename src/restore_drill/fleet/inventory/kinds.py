"""Kinds of values that stand in the fleet file alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_drill.checks.files import read_folder
from restore_drill.config.criteria import load_criteria
from restore_drill.config.criteria.due import Due
from restore_drill.config.criteria.kinds import (
    WITH_UNIT,
    Count,
    Duration,
    Kind,
    Schema,
    Text,
)
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.rule_kinds import Choice, Shown
from restore_drill.config.criteria_file import sql_folder_of
from restore_drill.core.units import parse_bytes
from restore_drill.fleet.inventory.options import NO_LIVE

TARGETS = ("embedded", "container")
LABEL = r"[A-Za-z_][\w./-]*"
SELECTED = ("name", "owner")
"""What `--select` knows of every database, so that no label is called so."""


UNITED: Schema = {"type": "string", "pattern": f"^({WITH_UNIT})+$"}


def refuse_bare(place: Place, value: Any, unit: str) -> None:
    """Refuse a duration without a unit: who wrote it seldom meant seconds, but `unit`."""
    number = str(value).strip()
    if re.fullmatch(r"[\d.]+", number):
        what = f"{place.name} = {json.dumps(value)} has no unit"
        raise place.error(f'{what}; write "{number}{unit}" or "{number}s"')


@dataclass(frozen=True)
class Inner:
    """A table within another one, of the kind `of`; what stands in it is not repeated."""

    of: Kind
    what: str

    def read(self, place: Place, value: Any) -> Any:
        """What is in it."""
        if not isinstance(value, dict):
            raise place.error(f"{place.name} must be a table of {self.what}")
        return self.of.read(place, value)

    def schema(self) -> Schema:
        """That of the table."""
        return self.of.schema()


class Target(Choice):
    """Where a fleet restores."""

    def read(self, place: Place, value: Any) -> str:
        """The target; that of a live database is refused."""
        if value == "database":
            raise place.error(
                f"{place.name} 'database' {NO_LIVE}; choose from {', '.join(TARGETS)}"
            )
        return super().read(place, value)


class Limit(Duration):
    """A duration that is handed on as it is written."""

    def read(self, place: Place, value: Any) -> Any:
        """Its text."""
        super().read(place, value)
        refuse_bare(place, value, "h")
        return str(value)

    def schema(self) -> Schema:
        """A text with a unit."""
        return UNITED


class Lasting(Duration):
    """A duration of more than nothing."""

    def read(self, place: Place, value: Any) -> float:
        """Seconds."""
        seconds = super().read(place, value)
        if not seconds:
            raise place.error(f"{place.name} must be a duration like '2h', not {value!r}")
        refuse_bare(place, value, "min")
        return seconds

    def schema(self) -> Schema:
        """A text with a unit."""
        return UNITED


class Every(Due):
    """How often a drill is due."""

    def read(self, place: Place, value: Any) -> float:
        """Seconds."""
        seconds = super().read(place, value)
        refuse_bare(place, value, "d")
        return seconds

    def schema(self) -> Schema:
        """A text with a unit."""
        return UNITED


class Size:
    """A size like `20 GB`: of a megabyte at least, as who wrote `disk = 20` meant others."""

    LEAST = 1_000_000

    def read(self, place: Place, value: Any) -> int:
        """Bytes."""
        try:
            size = parse_bytes(str(value))
        except ValueError as error:
            raise place.error(f"{place.name} {error}; write it like '20 GB'") from None
        if size < self.LEAST:
            raise place.error(f"{place.name} must be a size like '20 GB', not {value!r}")
        return size

    def schema(self) -> Schema:
        """A text like `20 GB`, or a number of bytes."""
        return {
            "type": ["string", "integer"],
            "pattern": r"^\s*\d+(\.\d+)?\s*([kKmMgGtT][iI]?)?[bB]?\s*$",
            "minimum": self.LEAST,
        }


class Several(Count):
    """A whole number from 1 on."""

    def read(self, place: Place, value: Any) -> int:
        """The number."""
        number = super().read(place, value)
        if not number:
            raise place.error(f"{place.name} must be 1 or more, not {value!r}")
        return number

    def schema(self) -> Schema:
        """A whole number."""
        return {"type": "integer", "minimum": 1}


class CriteriaFile(Text):
    """A criteria file, beside the fleet file, whose SQL criteria can be read too."""

    def read(self, place: Place, value: Any) -> Any:
        """What is in it; UsageError where it is not there, and for what is wrong with it."""
        path = (place.path.parent / Path(super().read(place, value)).expanduser()).resolve()
        if path.is_dir():
            raise place.error(f"{place.name} names {path}, which is a folder; name the file in it")
        if not path.is_file():
            raise place.error(f"{place.name} names {path}, which is not there")
        criteria = load_criteria(path)
        read_folder(sql_folder_of(criteria))
        return criteria


class SeriesName(Shown):
    """The name of one series."""

    def read(self, place: Place, value: Any) -> str:
        """The name; patterns are refused, since a fleet has a database for each series."""
        name = super().read(place, value)
        if set(name) & set("*?"):
            what = "is a pattern; name one series, and let [[discover]] find the others"
            raise place.error(f"{place.name} {name!r} {what}")
        return name


class Label(Shown):
    """The value of a label."""

    def read(self, place: Place, value: Any) -> str:
        """The value; the label's name can be selected by."""
        if not re.fullmatch(LABEL, place.name) or place.name in SELECTED:
            taken = place.name in SELECTED
            why = ": every database has one already" if taken else "; write it like tier"
            raise place.error(f"a label cannot be called {place.name!r}{why}")
        return super().read(place, value)

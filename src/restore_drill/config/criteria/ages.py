"""The section `[freshness]`, whose names stand in quotes or in TOML's dotted form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from restore_drill.config.criteria.kinds import Duration, Schema
from restore_drill.config.criteria.model import Freshness
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.sections import table_at
from restore_drill.core.names import split_name
from restore_drill.core.units import parse_duration


class Ages:
    """Ages by `table.column` or `schema.table.column`."""

    def read(self, place: Place, value: Any) -> dict[str, Freshness]:
        """What is asked of each column, by its whole name."""
        place = place.labelled("[freshness]")
        return {each.name: each for each in within(place, "", table_at(place, value))}

    def schema(self) -> Schema:
        """Ages, and tables of them, and tables of these."""
        found = Duration().schema()
        for _ in range(2):
            found = {
                "anyOf": [Duration().schema(), {"type": "object", "additionalProperties": found}]
            }
        return {"type": "object", "additionalProperties": found}


def within(place: Place, prefix: str, raw: dict[str, Any]) -> Iterator[Freshness]:
    """Each entry of `raw`, whose names begin with `prefix`."""
    for key, value in raw.items():
        name, at = prefix + key, place.inside(key)
        if isinstance(value, dict):
            yield from within(at, f"{name}.", value)
            continue
        *table, column = split_name(name)
        if len(table) not in (1, 2) or not all((*table, column)):
            raise at.error(f"{name!r} is not a 'table.column' of one table")
        try:
            age = parse_duration(str(value))
        except ValueError as error:
            raise at.error(f"{name} {error}") from None
        if not age:
            raise at.error(f"{name} must be an age like '26h', not {value!r}")
        yield Freshness(table[0] if table[1:] else "public", table[-1], column, age)

"""What a database held, as far as drift is concerned; to and from JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any, NamedTuple, Self

from restore_drill.core.json_values import text, whole
from restore_drill.facts.schema.heads import Heads
from restore_drill.facts.schema.kinds import Parts
from restore_drill.facts.schema.labels import Definition, named

Objects = dict[str, dict[str, Definition]]
"""Definitions by kind and name."""


@dataclass(frozen=True)
class DriftFacts:
    """What a restored database held.

    `database` and `system` (identifier of the source's cluster) are empty where the backup does
    not name them; `role` is the one that restored it; `privileges_of` the major version whose
    privileges were read; `rows` counts each table.
    """

    major: int
    role: str
    privileges_of: int
    objects: Objects
    heads: Heads
    rows: dict[str, int] = field(default_factory=dict)
    large_objects: int = 0
    database: str = ""
    system: str = ""

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """Facts in `raw`, as `as_json` gave them; KeyError, TypeError or ValueError if not."""
        return cls(
            major=whole(raw["major"]),
            role=text(raw["role"]),
            privileges_of=whole(raw["privileges_of"]),
            objects={
                text(kind): once((text(name), definition(each)) for name, each in objects.items())
                for kind, objects in raw["objects"].items()
            },
            heads={text(name): tuple(map(text, each)) for name, each in raw["heads"].items()},
            rows={text(name): whole(rows) for name, rows in raw["rows"].items()},
            large_objects=whole(raw["large_objects"]),
            database=text(raw["database"]),
            system=text(raw["system"]),
        )

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        return {
            "major": self.major,
            "role": self.role,
            "privileges_of": self.privileges_of,
            "database": self.database,
            "system": self.system,
            "heads": self.heads,
            "rows": self.rows,
            "large_objects": self.large_objects,
            "objects": self.objects,
        }

    def of(self, *, rows: dict[str, int], large_objects: int, database: str, system: str) -> Self:
        """The same with what the catalog does not hold."""
        return replace(
            self, rows=rows, large_objects=large_objects, database=database, system=system
        )


class High(NamedTuple):
    """The most `rows` of a table, and of which drill they were, in words."""

    rows: int
    drill: str


Highs = Mapping[str, High]
"""By table, where it has fewer rows by now."""


@dataclass(frozen=True)
class Measure:
    """What a drill measures drift against: `kind` is `last passed drill` or `reference`.

    `name` is how a sentence names it, `mark` differs with every other state of it: an acceptance
    holds for that one alone. `highs` are what tables had that have shrunk since, see `high.py`.
    """

    kind: str
    name: str
    mark: str
    facts: DriftFacts
    highs: Highs = field(default_factory=dict)


def definition(raw: Any) -> Definition:
    """Definition in `raw`; TypeError or ValueError where it is none."""
    found = {text(part): value for part, value in dict(raw).items()}
    if not all(isinstance(value, bool | int | float | str | list) for value in found.values()):
        raise TypeError("a definition holds something else than values")
    if not isinstance(found.get("columns", []), list | str):
        raise TypeError("columns are a list")
    return found


def definitions(kind: str, objects: Parts) -> dict[str, Definition]:
    """Named definitions of the `objects` of a kind that were read."""
    return once((name, plain(named(kind, each))) for name, each in objects.items())


def once(objects: Iterable[tuple[str, Definition]]) -> dict[str, Definition]:
    """`objects` by name; equal definitions are one, and so is a name in what two drills held.

    With 10,000 tables most of 200,000 objects have one of few definitions.
    """
    known: dict[str, Definition] = {}
    return {intern(name): known.setdefault(repr(each), each) for name, each in objects}


def plain(definition: Definition) -> Definition:
    """`definition` in JSON's own types, so that what was read equals what was written."""
    return {part: plain_value(value) for part, value in definition.items()}


def plain_value(value: Any) -> Any:
    """A value as JSON gives it back; what it has no type for is text."""
    if isinstance(value, list | tuple):
        return [plain_value(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def digest(definition: Definition | None) -> str:
    """What distinguishes a definition; empty for none."""
    if definition is None:
        return ""
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]

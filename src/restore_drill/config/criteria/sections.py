"""Tables of the criteria file: of fixed keys, of names that the user gives, and lists of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from restore_drill.config.criteria.kinds import Kind, Schema
from restore_drill.config.criteria.place import Place


class Key(NamedTuple):
    """A key of a section: its kind, what it means, and its name in `Criteria` where that differs.

    A key that is `required` is read also where it is missing, so that its kind says so.
    """

    kind: Kind
    meaning: str
    name: str = ""
    required: bool = False


def as_it_is(_place: Place, values: dict[str, Any]) -> Any:
    """The values themselves."""
    return values


@dataclass(frozen=True)
class Section:
    """A table of fixed keys; `build` makes of their values, by name, what the drill uses."""

    keys: Mapping[str, Key]
    label: str = ""
    build: Callable[[Place, dict[str, Any]], Any] = as_it_is
    needs: Mapping[str, Any] = field(default_factory=dict)
    """What the JSON Schema asks of it besides."""

    def read(self, place: Place, value: Any) -> Any:
        """What `build` makes of the table."""
        place = place.labelled(self.label)
        table = table_at(place, value)
        place.refuse_unknown(table, self.keys)
        return self.build(
            place,
            {
                key.name or name: key.kind.read(place.inside(name), table.get(name))
                for name, key in self.keys.items()
                if name in table or key.required
            },
        )

    def schema(self) -> Schema:
        """Its keys, and no other."""
        required = [name for name, key in self.keys.items() if key.required]
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: {"description": key.meaning, **key.kind.schema()}
                for name, key in self.keys.items()
            },
            **({"required": required} if required else {}),
            **self.needs,
        }


@dataclass(frozen=True)
class Entries:
    """A table of names that the user gives, each with a value of the kind `of`.

    `label_of` names an entry; `build` makes of all, by name, what the drill uses.
    """

    of: Kind
    label: str
    label_of: str = ""
    build: Callable[[dict[str, Any]], Any] = dict

    def read(self, place: Place, value: Any) -> Any:
        """What `build` makes of the entries."""
        place = place.labelled(self.label)
        return self.build(
            {
                name: self.of.read(place.inside(name).labelled(self.label_of.format(name)), each)
                for name, each in table_at(place, value).items()
            }
        )

    def schema(self) -> Schema:
        """Any name."""
        return {"type": "object", "additionalProperties": self.of.schema()}


@dataclass(frozen=True)
class Tables:
    """A list of tables, `[[waivers]]`; an error in one names what it gives for `label_key`.

    `label` is how people write it, where it lies in another table: `[[redis.coherence]]`.
    """

    of: Section
    label_key: str
    label: str = ""

    def read(self, place: Place, value: Any) -> tuple[Any, ...]:
        """All of them."""
        label = self.label or f"[[{place.name}]]"
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            what = f"write each one as a separate table, under {label}"
            raise place.labelled(label.strip("[]")).error(what)
        return tuple(
            self.of.read(
                place.inside(n).labelled(f"{label} {each.get(self.label_key, '')}".rstrip()),
                each,
            )
            for n, each in enumerate(value)
        )

    def schema(self) -> Schema:
        """A list of them."""
        return {"type": "array", "items": self.of.schema()}


def table_at(place: Place, value: Any) -> dict[str, Any]:
    """`value` as a TOML table; it is not repeated: there may be a password in it."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        raise place.error("must be a table, not a list of them; write its header in single [ ]")
    kinds = ((str, "a text"), (list, "a list"), (object, "a value"))
    what = next(words for kind, words in kinds if isinstance(value, kind))
    raise place.error(f"must be a table, not {what}; write its keys below a header in [ ]")

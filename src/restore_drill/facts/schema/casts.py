"""Casts in a definition: which of them a restore moves, and the names that they give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from restore_drill.facts.schema.items import (
    Group,
    Item,
    elements,
    is_cast,
    is_literal,
    is_one,
    listed,
)

NAME = r'(?:"[^"]*+(?:""[^"]*+)*+"|\w++)'
CAST = (
    rf"::\s*{NAME}(?:\.{NAME})*(?:\s(?:varying|precision))?(?:\([\d,]+\))?"
    r"(?:\swith(?:out)? time zone)?(?:\[\])*"
)
TYPE = re.compile(rf"::\s*(?:{NAME}\.)*(?P<name>{NAME})(?P<more> varying| precision)?")
NAMES = {
    "smallint": "int2", "integer": "int4", "bigint": "int8", "real": "float4",
    "double precision": "float8", "boolean": "bool", "character varying": "varchar",
    "character": "bpchar", "bit varying": "varbit",
}  # fmt: skip
"""What the parser calls a column after a cast to these types, as they are deparsed."""
ZONED = " with time zone"


def is_array(items: list[Item]) -> bool:
    """Whether `items` are `ARRAY[...]`, with something in it."""
    constructor, group = items if len(items) == 2 else ("", "")
    return constructor == "ARRAY" and isinstance(group, Group) and bool(group.items)


def with_cast(array: Item, cast: str) -> list[Item]:
    """The brackets of an `ARRAY[...]` with a `cast` of the whole, which its elements take over.

    A domain over an array stays: its elements get the cast to its type that they need with it.
    """
    if not isinstance(array, Group):
        return [array]
    parts = list(elements(array.items))
    if cast.endswith("[]"):
        return [replace(array, items=listed(cast_to(each, cast) for each in parts))]
    if "." in cast:
        return [replace(array, items=listed(without_last_cast(each) for each in parts)), cast]
    return [array, cast]


def cast_to(element: list[Item], cast: str) -> list[Item]:
    """An `element` of an array with a `cast` of the whole array."""
    if is_array(element):
        return [element[0], *with_cast(element[1], cast)]
    one = element if is_one(element) else [Group("(", element, "")]
    return [*one, cast.removesuffix("[]")]


def without_last_cast(element: list[Item]) -> list[Item]:
    """An `element` without its last cast, but for one that makes a value of a literal."""
    is_cast_again = len(element) > 1 and is_cast(element[-1]) and not is_literal(element[-2])
    return element[:-1] if is_cast_again else element


def without_dimension(element: list[Item]) -> list[Item]:
    """An `element` of an array; where it is an array that is cast, with the cast of its elements.

    Nobody knows from the text alone whether `(ARRAY[a, b])::text[]` has columns of arrays in it.
    """
    *before, last = element or [""]
    if before and not is_literal(before[-1]) and isinstance(last, str) and is_cast(last):
        return [*before, last.removesuffix("[]")]
    return element


def without_cast_names(items: list[Item]) -> Iterator[Item]:
    """`items` without each `AS name` behind a cast which gives a column that name anyway."""
    at = 0
    while at < len(items):
        if items[at] == "AS" and at and is_named_by(items[at - 1], items[at + 1 : at + 2]):
            at += 2
            continue
        yield items[at]
        at += 1


def is_named_by(cast: Item, names: list[Item]) -> bool:
    """Whether a `cast` gives a column the name in `names` of itself."""
    found = TYPE.match(cast) if isinstance(cast, str) else None
    if not found or not isinstance(cast, str):
        return False
    name = found["name"].strip('"') + (found["more"] or "")
    given = NAMES.get(name, f"{name}tz" if cast.rstrip("[]").endswith(ZONED) else name)
    return names in ([given], [f'"{given}"'])

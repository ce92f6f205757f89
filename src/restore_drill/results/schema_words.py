"""What JSON Schemas of ours are made of."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT, NUMBER, WHOLE, FLAG = ({"type": name} for name in ("string", "number", "integer", "boolean"))
TIME = {"type": "string", "format": "date-time"}
SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def or_none(schema: Schema) -> Schema:
    """`schema`, or null where it is not known or there is none."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema, meaning: str = "") -> Schema:
    """A list whose items are like `schema`."""
    return {"type": "array", "items": schema} | ({"description": meaning} if meaning else {})


def map_of(schema: Schema, meaning: str = "") -> Schema:
    """An object whose values are like `schema`, whatever their names."""
    found = {"type": "object", "additionalProperties": schema}
    return found | ({"description": meaning} if meaning else {})


def shape(properties: Schema, meaning: str = "", *, also: Schema | None = None) -> Schema:
    """An object that has all of `properties`, and may have those of `also`."""
    found = {
        "type": "object",
        "properties": properties | (also or {}),
        "required": list(properties),
    }
    return {"description": meaning, **found} if meaning else found


def with_more(schema: Schema) -> Schema:
    """`schema` of an object that may have more, depending on what was drilled."""
    return schema | {"additionalProperties": True}


def described(schema: Schema, meaning: str) -> Schema:
    """`schema` with its `meaning`."""
    return {"description": meaning} | schema

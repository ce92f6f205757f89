"""Holds every result.json that the tests read against its published schema, strictly."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from restore_drill.results.schema import result_schema


def closed(schema: Any) -> Any:
    """`schema`, in which an object has no properties but those that are described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if "required" in found and isinstance(found.get("properties"), dict):
        found = {"additionalProperties": False} | found
    return found


@cache
def validator() -> Any:
    """Validator of the strict schema."""
    return Draft202012Validator(closed(result_schema()), format_checker=FormatChecker())


def checked(result: dict[str, Any]) -> dict[str, Any]:
    """`result`, which must be valid."""
    error = best_match(validator().iter_errors(result))
    assert error is None, f"result.json, {error.json_path}: {error.message[:300]}"
    return result

"""Readers of the values in a history: what no drill writes is refused, before it is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from restore_drill.core.json_values import text, whole

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What a line that is none of ours may raise."""
MOST = 1e18
"""What no size, count or time reaches; NaN does not either."""


def moment(value: Any) -> datetime:
    """Time that the text `value` says."""
    return datetime.fromisoformat(text(value)).astimezone(UTC)


def number(value: Any) -> float:
    """`value`, which must be a number that can be shown and drawn."""
    if not isinstance(value, int | float) or not abs(value) < MOST:
        raise TypeError(f"{value!r} is not a number")
    return value


def count(value: Any) -> int:
    """`value`, which must be such a number, and whole."""
    return whole(number(value))


def or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Reader of what `read` reads, or of null."""
    return lambda value: None if value is None else read(value)


def texts(value: Any) -> tuple[str, ...]:
    """`value`, which must be a list of texts."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return tuple(map(text, value))


def each_by_name(read: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """Reader of a mapping of names to what `read` reads."""
    return lambda value: {text(name): read(each) for name, each in value.items()}


def counts_by_name(value: Any) -> dict[str, int]:
    """`value`, which must be a mapping of names to such whole numbers.

    They are looked at as one: rows of 200 tables by 100,000 drills took most of the reading.
    """
    found: dict[str, int] = value
    numbers = found.values()
    if {*map(type, found)} != {str} or {*map(type, numbers)} != {int}:
        return each_by_name(count)(found)
    if -MOST < min(numbers) <= max(numbers) < MOST:
        return found
    return each_by_name(count)(found)

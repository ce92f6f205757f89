"""How a text of Redis is read as a value of a column: by the column's type, and never by a cast.

The server is given only what it can read: a text that is none of the type is counted here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

INTEGER = rb"0|-?[1-9][0-9]{0,18}"
NUMBER = rb"[+-]?(?:[0-9]{1,130}(?:\.[0-9]{0,130})?|\.[0-9]{1,130})(?:[eE][+-]?[0-9]{1,2})?"
DECIMAL = rb"-?[0-9]{1,15}(?:\.[0-9]{1,15})?"
"""A number that is neither too large nor too small for any type with a point."""
HEX = rb"[0-9a-fA-F]"
UUID = HEX + rb"{8}(?:-" + HEX + rb"{4}){3}-" + HEX + rb"{12}"
TEXT = rb"[^\x00]*?"
PLAIN_TEXT = rb"[^\x00\t\n\r\\]*?"
BIGINT = 2**63
REAL = 3.4028235e38, 1.17549435e-38
"""Largest of a `real`, and the smallest that is not denormal."""
ENDLESS = ("infinity", "-infinity")
TRUE, FALSE = ("true", "t", "yes", "y", "on", "1"), ("false", "f", "no", "n", "off", "0")

Read = Callable[[str], str | None]


@dataclass(frozen=True)
class Kind:
    """Values that are compared as the type `sql`; other columns are cast to it with `casts`.

    In the name of a key such a value looks like `pattern`; where it looks like `plain` it is what
    the server reads, and needs no look of ours. `read` gives any text as the server reads it, None
    for one that is no such value. `is_text` says that any text is one.
    """

    sql: str
    read: Read
    pattern: bytes = TEXT
    plain: bytes = b""
    casts: bool = False
    is_text: bool = False


def whole(text: str) -> str | None:
    """A bigint as PostgreSQL writes it: 007 is another key than 7."""
    good = re.fullmatch(INTEGER, text.encode())
    return text if good and -BIGINT <= int(text) < BIGINT else None


def number(text: str) -> str | None:
    """A number of any precision."""
    return text if re.fullmatch(NUMBER, text.encode()) else None


def double(text: str) -> str | None:
    """A double that is finite, or one of the words for those that are not."""
    if text in ("NaN", "Infinity", "-Infinity"):
        return text
    value = float(text) if number(text) else math.inf
    return repr(value) if math.isfinite(value) else None


def single(text: str) -> str | None:
    """A real: what is too small for one is refused by the server, as what is too large."""
    found = double(text)
    if found is None or not math.isfinite(float(found)):
        return found
    most, least = REAL
    return found if not float(found) or least <= abs(float(found)) <= most else None


def truth(text: str) -> str | None:
    """A truth value, by the words that PostgreSQL knows, in any case."""
    word = text.lower()
    return "t" if word in TRUE else "f" if word in FALSE else None


def unique(text: str) -> str | None:
    """A UUID, in any case, with its hyphens."""
    return text if re.fullmatch(UUID, text.encode()) else None


def day(text: str) -> str | None:
    """A date in ISO 8601, or one of PostgreSQL's words for those without end."""
    if text in ENDLESS:
        return text
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def moment(text: str) -> str | None:
    """A time in ISO 8601, in UTC where it says nothing else; or as for a date."""
    if text in ENDLESS:
        return text
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=None).isoformat(" ")


def as_it_is(text: str) -> str | None:
    """Any text but one with a NUL, which no server stores."""
    return None if "\0" in text else text


WHOLE = Kind("bigint", whole, INTEGER, rb"0|-?[1-9][0-9]{0,17}")
NUMERIC = Kind("numeric", number, NUMBER, NUMBER)
STRING = Kind("text", as_it_is, TEXT, PLAIN_TEXT, casts=True, is_text=True)
KINDS = {
    "smallint": WHOLE,
    "integer": WHOLE,
    "bigint": WHOLE,
    "numeric": NUMERIC,
    "real": Kind("real", single, NUMBER, DECIMAL),
    "double precision": Kind("double precision", double, NUMBER, DECIMAL),
    "boolean": Kind("boolean", truth),
    "uuid": Kind("uuid", unique, UUID, UUID),
    "date": Kind("date", day),
    "timestamp without time zone": Kind("timestamp without time zone", moment),
    "timestamp with time zone": Kind("timestamp with time zone", moment),
}
"""By the type of the column; any other is compared by the text that PostgreSQL writes for it."""


def kind_of(column_type: str) -> Kind:
    """Kind of the values of a column of this type, in the name of a key."""
    return KINDS.get(column_type, STRING)


def value_kind_of(column_type: str) -> Kind:
    """The same for a value that is no name: 7.0 and 7 are one number, but two keys."""
    return NUMERIC if (found := kind_of(column_type)) is WHOLE else found

"""Rows of plain INSERTs as text for COPY, where that brings the very same rows.

INSERT reads a string by the input function of its column's type, and so does COPY. It reads a bare
number as integer or numeric and casts that, so that only numbers are taken that are the same then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from restore_drill.backups.plaindump.events import Inserts
from restore_drill.backups.plaindump.runs import ENDS, PAIR, ROW, parted

QUOTE = b"\0"
"""Stands for a quote in a string; in text of PostgreSQL there is none of it."""
STRING, ESCAPED = rb"(?:'++|\0++'?+)", rb"E?(?:'++|\0++'?+)"
"""A string, of which a quote is left for each of its parts: a PAIR in it parts it.

Where pairs are many, none does: of a string that begins with some, QUOTE is left for each before
its own quote, and of one that is made of them alone, QUOTE for each.
"""
INTEGER, NUMERIC = rb"-?+\d{1,19}+", rb"-?+\d++(?:\.\d++|(?!))?+"
FLOAT = rb"(?!-[0.]++(?:[,e\n]|\Z))-?+\d{1,40}+(?:\.\d{1,40}+|(?!))?+(?:e[+-]\d{1,3}+|(?!))?+"
"""INSERT makes 0 of -0, which COPY does not."""
BARE = {
    16: rb"true|false",
    20: INTEGER,
    21: INTEGER,
    23: INTEGER,
    26: rb"\d{1,10}+",
    700: FLOAT,
    701: FLOAT,
    1560: rb"B['\0](?!['\0])",
    1562: rb"B['\0](?!['\0])",
    1700: NUMERIC,
}
"""What pg_dump writes without quotes, or as bits, by the oid of the type."""
DEFAULT = b"DEFAULT"
BREAKS = ((b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t"))


@dataclass(frozen=True)
class Column:
    """A column: its name in the dump's encoding, the oid of its type, or of that below a domain."""

    name: bytes
    type: int
    is_generated: bool
    is_always: bool
    is_odd: bool


class Rows(NamedTuple):
    """Rows outside of their strings, a line each, as STRING has them; parts of the strings."""

    rows: bytes
    strings: list[bytes]


def outside_of(event: Inserts, ends: Sequence[bytes]) -> Rows | None:
    """The rows of `event`; None where its last statement has none of the `ends`, or a zero byte."""
    if QUOTE in event.data:
        return None
    data = event.data if event.data.endswith((b"\n", b"\t")) else event.data + b"\n"
    parts = parted(data, QUOTE)
    outside = b"'".join(parts[::2])
    opening = b"(" if event.is_rest else event.head
    known = ends if event.statements else (ROW[:-1],)
    end = next((each for each in known if outside.endswith(each)), b"")
    if not end:
        return None
    inner = outside[len(opening) : -len(end)]
    return Rows(inner.replace(end + event.head, b"\n").replace(ROW, b"\n"), parts[1::2])


@dataclass(frozen=True)
class AsCopy:
    """Makes COPY text of rows of `columns`, in that order, whose INSERTs begin with `head`.

    The COPY `statement` takes it. With `escapes` a backslash escapes in strings. `ends` are the
    ends of INSERTs that say no more than that they end.
    """

    columns: Sequence[Column]
    head: bytes
    statement: bytes
    escapes: bool
    ends: Sequence[bytes] = ENDS

    @cached_property
    def rows(self) -> re.Pattern[bytes]:
        """Rows in which each value is of the kind that its column takes, outside of strings."""
        string = ESCAPED if self.escapes else STRING
        kinds = ((BARE.get(column.type), string, b"NULL") for column in self.columns)
        values = (b"|".join(filter(None, each)) for each in kinds)
        row = b", ".join(
            b"(?:" + (DEFAULT if column.is_generated else value) + b")"
            for column, value in zip(self.columns, values, strict=True)
        )
        return re.compile(b"(?:" + row + b"\n|(?!))*+" + row)

    def text_of(self, event: Inserts) -> bytes | None:
        """The rows of `event` as COPY text; None where INSERT might make others of them."""
        found = outside_of(event, self.ends)
        if found is None or not self.rows.fullmatch(found.rows):
            return None
        rows = found.rows.replace(b", ", b"\t").replace(b"NULL", b"\\N")
        if any(column.is_generated for column in self.columns):
            rows = rows.replace(b"DEFAULT\t", b"").replace(b"\tDEFAULT", b"")
        if not found.strings:
            return woven(rows + b"\n", [])
        inside = self.inside(b"'".join(found.strings))
        return None if inside is None else woven(rows + b"\n", inside.split(b"'"))

    def inside(self, text: bytes) -> bytes | None:
        """What stands in strings, as COPY has it; None where a backslash escapes another byte."""
        if b"\\" in text:
            if not self.escapes:
                text = text.replace(b"\\", b"\\\\")
            elif b"\\" in text.replace(b"\\\\", b""):
                return None
        for each, escape in BREAKS:
            if each in text:
                text = text.replace(each, escape)
        return text


def woven(rows: bytes, strings: list[bytes]) -> bytes:
    """`rows` with their `strings` in the places of their quotes, and quotes for QUOTE."""
    if QUOTE in rows:
        # A string that is made of pairs alone is in the outer two quotes of them.
        rows = rows.replace(b"E\0", b"\0").replace(b"\0\t", b"\t").replace(b"\0\n", b"\n")
    rows = rows.replace(b"E'", b"'")
    if PAIR in rows:
        rows = rows.replace(PAIR, b"'\0'").replace(PAIR, b"'\0'")
    between = rows.split(b"'")
    text = [b""] * (2 * len(between) - 1)
    text[::2] = between
    text[1::2] = strings
    return b"".join(text).replace(QUOTE, b"'")

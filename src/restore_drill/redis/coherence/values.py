"""Values of keys as the database reads them, to be compared with a column."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from restore_drill.redis.coherence.kinds import Kind
from restore_drill.redis.coherence.reading import Value, WrongType
from restore_drill.redis.coherence.template import NOTHING, Encoding

READ, ABSENT, UNREADABLE, OTHER_TYPE = range(4)
"""What came of a value: it was read, there is none, it is none of the column's type, or its key is
of a type of Redis that has no such value."""


class Values:
    """Values of `kind`; with a `path` they lie in JSON, to which that leads."""

    def __init__(self, kind: Kind, path: Sequence[str | int], encoding: Encoding) -> None:
        """Of this kind."""
        self.kind = kind
        self.path = path
        self.encoding = encoding
        self.plain = re.compile(rb"(?m)^(?:%b)$" % kind.plain) if kind.plain and not path else None

    def cells(self, values: Sequence[Value]) -> list[bytes]:
        """What COPY reads of each: the value, and what came of it; at once where all are plain."""
        texts = [each for each in values if isinstance(each, bytes)]
        if self.plain and len(texts) == len(values):
            lines = b"\n".join(texts)
            is_one_each = lines.count(b"\n") == len(texts) - 1 and self.encoding.holds(lines)
            if is_one_each and len(self.plain.findall(lines)) == len(texts):
                return [b"%b\t%d" % (each, READ) for each in texts]
        return [self.cells_of(each) for each in values]

    def cells_of(self, value: Value) -> bytes:
        """What COPY reads of one value."""
        text, state = self.read(value)
        return b"%b\t%d" % (NOTHING if text is None else self.encoding.cell(text), state)

    def read(self, value: Value) -> tuple[str | None, int]:
        """The value as the server reads it, and what came of it.

        Redis has no NULL: an empty text stands for it where the column holds no texts.
        """
        if isinstance(value, WrongType):
            return None, OTHER_TYPE
        try:
            text = None if value is None else self.text_of(value)
        except (ValueError, RecursionError):
            return None, UNREADABLE
        if text is None or (not text and not self.kind.is_text):
            return None, ABSENT
        read = self.kind.read(text)
        if read is None or not self.encoding.can_hold(read):
            return None, UNREADABLE
        return read, READ

    def text_of(self, value: bytes) -> str | None:
        """The text of `value`, or of what the path leads to in it; ValueError for what is none."""
        text = self.encoding.text(value)
        if text is None:
            raise ValueError("no text of this encoding")
        return at_path(text, self.path) if self.path else text


def at_path(text: str, path: Sequence[str | int]) -> str | None:
    """What `path` leads to in JSON, numbers as they are written; None for null and for nothing.

    Raises ValueError where the text is no JSON, or the path leads to a list or an object.
    """
    found: Any = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    for step in path:
        try:
            found = found[step] if type(found) in (list, dict) else None
        except (LookupError, TypeError):
            return None
    if isinstance(found, bool):
        return str(found).lower()
    if found is None or isinstance(found, str):
        return found
    raise ValueError("a list or an object")

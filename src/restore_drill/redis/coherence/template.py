"""Names of keys as a rule writes them, `card:{id}`: which there are, and the values in each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from restore_drill.config.criteria import Rule
from restore_drill.redis.coherence.kinds import Kind

SPECIAL = re.compile(rb"[*?\[\]\\^]")
"""Bytes that mean something in a pattern of Redis."""
ESCAPED = re.compile(r"[\\\t\n\r]")
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
NOTHING = b"\\N"
"""NULL, as COPY reads it."""


class Encoding:
    """What a database can store: `codec` is Python's for its encoding, None where it knows none.

    The server is given UTF-8, which it converts; one without an encoding gets bytes as they are.
    `name` is PostgreSQL's for what it is given.
    """

    def __init__(self, codec: str | None = "utf-8") -> None:
        """Of this codec."""
        self.codec = codec
        self.errors = "strict" if codec else "surrogateescape"
        self.name = "UTF8" if codec else "SQL_ASCII"

    def text(self, raw: bytes) -> str | None:
        """`raw` as text, None for what the database cannot hold in any row."""
        try:
            text = raw.decode("utf-8", self.errors)
        except UnicodeError:
            return None
        return text if self.can_hold(text) else None

    def can_hold(self, text: str) -> bool:
        """Whether the database can hold `text`."""
        try:
            text.encode(self.codec or "utf-8", self.errors)
        except UnicodeError:
            return False
        return True

    def cell(self, text: str) -> bytes:
        """`text` as COPY reads it."""
        escaped = ESCAPED.sub(lambda found: ESCAPES[found[0]], text)
        return escaped.encode("utf-8", self.errors)

    def holds(self, raw: bytes) -> bool:
        """Whether the database can hold all of `raw`."""
        return raw.isascii() or self.text(raw) is not None


def glob_of(rule: Rule) -> bytes:
    """The pattern of Redis that all keys of `rule` match, and perhaps others too."""
    return b"*".join(SPECIAL.sub(rb"\\\g<0>", each.encode()) for each in rule.literals)


def others_of(rule: Rule) -> re.Pattern[bytes] | None:
    """The pattern of keys that are like those of `rule` and are none of them; None for none."""
    wild = {"*": ".*", "?": "."}
    texts = ["".join(wild.get(char, re.escape(char)) for char in each) for each in rule.but]
    return re.compile("|".join(texts).encode(), re.DOTALL) if texts else None


class Template:
    """The names of keys of a rule, with a value of each of `kinds` in its places."""

    def __init__(self, rule: Rule, kinds: Sequence[Kind], encoding: Encoding) -> None:
        """Of these kinds, in the order of the placeholders."""
        self.literals = [each.encode() for each in rule.literals]
        self.kinds = kinds
        self.encoding = encoding

    @cached_property
    def exact(self) -> re.Pattern[bytes]:
        """The pattern of a name; its values are as short as they can be, from the left."""
        return re.compile(self.around([each.pattern for each in self.kinds]), re.DOTALL)

    @cached_property
    def plain(self) -> re.Pattern[bytes] | None:
        """The pattern of names, one a line, whose values the server reads as they stand there.

        None where it reads no value of a kind so.
        """
        patterns = [each.plain for each in self.kinds]
        return re.compile(rb"(?m)^%b$" % self.around(patterns)) if all(patterns) else None

    def around(self, patterns: Sequence[bytes]) -> bytes:
        """What is fixed in a name, around a group for each of `patterns`."""
        first, *others = map(re.escape, self.literals)
        places = zip(patterns, others, strict=True)
        return first + b"".join(b"(%b)%b" % place for place in places)

    def cells(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of each of `keys` as COPY reads them; None for a key that has none of them.

        All keys of a batch are read at once where each is plain: a million one by one took 3 s.
        """
        lines = b"\n".join(keys)
        if self.plain and lines.count(b"\n") == len(keys) - 1 and self.encoding.holds(lines):
            found = self.plain.findall(lines)
            if len(found) == len(keys):
                return found if len(self.kinds) == 1 else [b"\t".join(each) for each in found]
        return [self.cells_of(key) for key in keys]

    def cells_of(self, key: bytes) -> bytes | None:
        """The values of one key, None where it has none of them."""
        found = self.exact.fullmatch(key)
        if found is None:
            return None
        cells = []
        for kind, raw in zip(self.kinds, found.groups(), strict=True):
            text = self.encoding.text(raw)
            read = None if text is None else kind.read(text)
            if read is None:
                return None
            cells.append(self.encoding.cell(read))
        return b"\t".join(cells)

    def name(self, values: Sequence[bytes]) -> bytes:
        """The name of the key with these values."""
        first, *others = self.literals
        return first + b"".join(b"".join(pair) for pair in zip(values, others, strict=True))

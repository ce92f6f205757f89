"""How deep a statement stands in what a semicolon does not end."""

from __future__ import annotations

import re
from dataclasses import dataclass

FLAT = rb"""(?:[^;'"()\\$/-]++|'[^'\\]*+'|"[^"]*+"|-(?!-)|/(?!\*)|(?!))*+"""
ROUTINE = rb"create\s++(?:or\s++replace\s++)?(?P<kind>function|procedure)\b"
"""How a statement begins in which words may nest, in any case."""
SIMPLE = re.compile(
    rb"(?!(?i:" + ROUTINE + rb"))"
    + FLAT + rb"(?:\(" + FLAT + rb"\)" + FLAT + rb"|(?!))*+;"
)  # fmt: skip
"""A statement without comments, backslashes, dollars, and parentheses inside of others.

It is nearly all of a dump but its rows. Nothing in it can be read in two ways, nothing is given
back.
"""
SHORT = 1 << 16
"""Bytes of such a statement at most: a longer one is looked through but once."""
STRINGS = re.compile(rb"""'[^']*+'|"[^"]*+["]""")
"""Texts and names of such a statement: what stands in them opens no parenthesis."""


@dataclass
class Depth:
    """How deep a statement stands in parentheses and in the blocks of an SQL-standard routine.

    Whether it `is_routine` is found out once, at the first word that would begin a block.
    """

    parens: int = 0
    blocks: int = 0
    groups: int = 0
    is_routine: bool | None = None

    @property
    def is_inside(self) -> bool:
        """Whether a semicolon here would end no statement."""
        return self.parens > 0 or self.blocks > 0

    def parenthesis(self, text: bytes) -> None:
        """Note an opening or closing parenthesis."""
        if text == b"(":
            self.groups += self.parens == 0
            self.parens += 1
        elif text == b")":
            self.parens -= 1

    def word(self, text: bytes, *, atomic: bool) -> None:
        """Note BEGIN (`atomic` or not), CASE or END: they nest in the body of a CREATE FUNCTION.

        psql counts any BEGIN, and so runs past the end of a function that is named begin.
        """
        word = text.lower()
        if word == b"end":
            self.blocks = max(self.blocks - 1, 0)
        elif atomic or (word == b"case" and self.blocks):
            self.blocks += 1

"""Runs of INSERTs as the single statements that psql's rules find in them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from restore_drill.backups.plaindump.events import Inserts, Statement
from restore_drill.backups.plaindump.lexer import PlainReader


class Singly:
    """Joins the pieces of long statements; what no statement ends comes to nothing."""

    def __init__(self) -> None:
        """Start with none."""
        self.line = 0
        self.pieces: list[bytes] = []

    def statements(
        self, event: Inserts, encoding: str, *, backslash_strings: bool
    ) -> Iterator[Statement]:
        """Statements that end in `event`; in strings a backslash escapes if `backslash_strings`."""
        if not event.is_rest:
            self.line, self.pieces = event.line, []
        self.pieces.append(event.data)
        if event.statements:
            text, self.pieces = b"".join(self.pieces), []
            yield from statements_in(text, self.line, encoding, backslash_strings=backslash_strings)


def statements_in(
    text: bytes, line: int, encoding: str, *, backslash_strings: bool
) -> Iterator[Statement]:
    """Statements of `text`, which is in `encoding` and begins at `line`."""
    reader = PlainReader(BytesIO(text))
    reader.line = line
    reader.read_as(encoding, backslash_strings=backslash_strings)
    return (event for event in reader.events() if isinstance(event, Statement))

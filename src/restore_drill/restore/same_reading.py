"""Sees that the reader of a dump takes its strings for what the server takes them for.

The reader follows what the statements of a dump set. Where the code that one runs sets it, in a
function or in a transaction alone, what follows has another end for the server than it has here.
"""

from __future__ import annotations

from typing import Protocol

from restore_drill.backups.plaindump.quotes import Quotes
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for


class Reading(Protocol):
    """What carries a dump out; a backslash `escapes` in every string, by what the server says."""

    @property
    def escapes(self) -> bool:
        """How it is now."""


class SameReading:
    """Compares `reader` with the server behind `connection`, wherever that changes."""

    def __init__(self, reader: Quotes, connection: Reading) -> None:
        """Whatever a session begins with, a dump says what it wants."""
        self.reader, self.connection = reader, connection
        self.escapes = connection.escapes

    def check(self) -> None:
        """CouldNotRun where the server has changed, and not to what the reader goes by."""
        now, before = self.connection.escapes, self.escapes
        self.escapes = now
        if now not in (before, self.reader.backslash_strings):
            raise CouldNotRun(
                f"up to line {self.reader.line:,} the backup has changed what a backslash means in "
                "its strings, in a way that only the server knows: what follows cannot be read",
                checked=[f"standard_conforming_strings is {'off' if now else 'on'} now"],
                remedy=remedy_for("restore", "strings"),
            )

"""Sees that the reader of a dump takes its strings for what the server takes them for.

The reader follows what the statements of a dump set. Where the code that one runs sets it, in a
function or in a transaction alone, what follows has another end for the server than it has here. So
it is with an encoding in which a byte of a longer character may be that of a backslash.
"""

from __future__ import annotations

from typing import NoReturn, Protocol

from restore_drill.backups.plaindump.escapes import escaped_in
from restore_drill.backups.plaindump.quotes import Quotes
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for


class Reading(Protocol):
    """What carries a dump out; a backslash `escapes` in every string, by what the server says."""

    @property
    def escapes(self) -> bool:
        """How it is now."""

    @property
    def encoding(self) -> str:
        """The encoding of what goes to the server now."""


class SameReading:
    """Compares `reader` with the server behind `connection`, wherever that changes."""

    def __init__(self, reader: Quotes, connection: Reading) -> None:
        """Whatever a session begins with, a dump says what it wants."""
        self.reader, self.connection = reader, connection
        self.escapes, self.encoding = connection.escapes, connection.encoding

    def check(self) -> None:
        """CouldNotRun where the server has changed, and not to what the reader goes by."""
        escapes, self.escapes = self.escapes, self.connection.escapes
        encoding, self.encoding = self.encoding, self.connection.encoding
        if self.escapes not in (escapes, self.reader.backslash_strings):
            self.refuse(f"standard_conforming_strings is {'off' if self.escapes else 'on'} now")
        if self.encoding != encoding and escaped_in(self.encoding) is not self.reader.escaped:
            self.refuse(f"client_encoding is {self.encoding} now")

    def refuse(self, what: str) -> NoReturn:
        """Raise CouldNotRun: `what` the server said."""
        raise CouldNotRun(
            f"up to line {self.reader.line:,} the backup has changed what a backslash means in "
            "its strings, in a way that only the server knows: what follows cannot be read",
            checked=[what],
            remedy=remedy_for("restore", "strings"),
        )

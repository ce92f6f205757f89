"""Reads a plain dump as `PlainReader` does, but what it says of large objects run by run."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from restore_drill.backups.plaindump.events import Event, LargeObjects
from restore_drill.backups.plaindump.large_objects import START, end_of_run
from restore_drill.backups.plaindump.lexer import PlainReader

SHORT = 1 << 16
"""Bytes of the buffer below which more is read: longer than any statement of a run."""


class ObjectReader(PlainReader):
    """Splits the plain dump in `stream` into events, runs of `LargeObjects` among them."""

    def next_event(self) -> Event | None:
        """A run that begins here, as far as it is in the buffer; else as without runs."""
        # Not ahead of anything else: what comes next may be a line without an end.
        left = len(self.buffer) - self.start
        if not left or (left < SHORT and START.match(self.buffer, self.start)):
            self.refill()
        if START.match(self.buffer, self.start) and not self.backslash_strings:
            end = end_of_run(self.buffer, self.start, is_all=self.at_end)
            if end > self.start:
                return LargeObjects(self.line, self.take(end))
        return super().next_event()


def events_of(run: LargeObjects) -> Iterator[Event]:
    """The events of a run as they come without runs."""
    reader = PlainReader(BytesIO(run.sql))
    reader.line = run.line
    return reader.events()

"""The rows of a COPY, and where those of large tables lie: noted first, to be passed over later.

Whoever reads a dump again, to restore it, needs no byte of them: the connections that load them
take them from the file.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import IO, NamedTuple, cast

from restore_drill.backups.plaindump import lines
from restore_drill.backups.plaindump.events import CopyData, CopyEnd, Cut, Event

LEAST = lines.CHUNK
"""Bytes of rows that are noted: fewer lie in what has been read ahead already."""
END = b"\n\\."
"""Ends the rows of a COPY."""


class Span(NamedTuple):
    """Rows of one COPY, without its end line: their bytes, and their lines."""

    size: int
    rows: int


class CopyReader(lines.Lines):
    """Reads the rows of a COPY; notes in `spans`, by their offset, where many lie.

    While it `passes` it goes on behind those that stand there, unread.
    """

    spans: dict[int, Span] | None = None
    passes = False

    def copy_data(self) -> Generator[Event, None, bool]:
        """Data behind a COPY statement up to its end line, and whether there is one.

        A long line comes in pieces.
        """
        self.take(self.line_end())
        begun, begin = self.line, self.place
        if span := self.pass_over():
            yield CopyData(b"", span.rows, span.size)
        at_line_start, length = True, 0
        while True:
            if self.start >= len(self.buffer) and not self.refill(part=True):
                yield Cut(begun, "the COPY data")
                return False
            if at_line_start and self.buffer.startswith(b"\\.", self.start):
                end = self.start
            else:
                end, line = self.copy_end(), self.line
                at_line_start = self.buffer.endswith(b"\n", 0, end)
                length = 0 if at_line_start else length + end
                yield CopyData(self.take(end), self.line - line)
                if length > lines.LONGEST:
                    yield Cut(self.line, "a row", is_endless=True)
                    return False
            if end < len(self.buffer):
                line = self.line
                self.note_span(begin, begun)
                self.take(self.line_end())
                yield CopyEnd(line)
                return True

    def copy_end(self) -> int:
        """Index of the next end line of COPY data in the buffer, or its end where there is none."""
        # One byte is found forty times as fast as three: most rows hold no backslash.
        first = self.buffer.find(b"\\", self.start)
        found = self.buffer.find(b"\n\\.", max(first - 1, self.start)) if first >= 0 else -1
        return len(self.buffer) if found < 0 else found + 1

    def note_span(self, begin: int, line: int) -> None:
        """Note the rows that begin at offset `begin`, in this `line`, and end here."""
        size = self.place - begin
        if self.spans is not None and size >= LEAST:
            self.spans[begin] = Span(size, self.line - line)

    def pass_over(self) -> Span | None:
        """Go on behind the rows that begin here; None where no end of any is known."""
        span = self.spans.get(self.place) if self.passes and self.spans else None
        if span is None:
            return None
        stream, end = cast("IO[bytes]", self.stream), self.place + span.size
        if os.pread(stream.fileno(), len(END), end - 1) != END:
            return None
        stream.seek(end)
        self.buffer = self.tail = b""
        self.start = self.scan = 0
        self.passed, self.at_end = end, False
        self.line += span.rows
        return span

"""Reads runs of INSERT statements piece by piece, each as long as what is in the buffer allows."""

from __future__ import annotations

from typing import NamedTuple

from restore_drill.backups.plaindump import lines
from restore_drill.backups.plaindump.escapes import ESCAPED
from restore_drill.backups.plaindump.events import Cut, Event, Inserts, Statement
from restore_drill.backups.plaindump.lines import Readable
from restore_drill.backups.plaindump.quotes import Quotes
from restore_drill.backups.plaindump.runs import HEAD, INCOMPLETE, piece_of

FIRST = 1 << 12
"""Bytes that are looked through first: a small table is not to cost a look at all that follows."""
MOST = 1 << 20
"""Bytes that are looked through at once at most; a longer row is read by psql's rules."""

HALF = b" VALUES\n"
"""Ends the first of the two lines that an INSERT of several rows begins with."""


class Opened(NamedTuple):
    """A statement that goes on: the line that it begins in, and what it begins with."""

    line: int
    head: bytes


class InsertReader(Quotes):
    """Takes whole runs of INSERTs, or of their rows, where the reader is one `in_runs`."""

    def __init__(self, stream: Readable, *, in_runs: bool = False) -> None:
        """Read from `stream`, at its start."""
        super().__init__(stream)
        self.in_runs = in_runs
        self.opened: Opened | None = None
        self.opened_size = 0
        self.head = b""
        self.window = FIRST
        self.odd_until = 0

    def inserts(self) -> Event | None:
        """Statements, or rows of one, that begin here; None where they are to be read singly."""
        if self.place < self.odd_until:
            return None
        if self.opened is None and not self.begin_run():
            return None
        while True:
            end = min(self.start + self.window, len(self.buffer))
            text = self.buffer[self.start : end]
            piece = piece_of(
                text,
                self.head,
                is_rest=self.opened is not None,
                escapes=self.backslash_strings,
            )
            if piece and piece.size and self.may_mislead(text[: piece.size]):
                piece = None
            if piece != INCOMPLETE:
                break
            if end < len(self.buffer) and self.window < MOST:
                self.window *= 2
            elif end < len(self.buffer) or not self.refill():
                piece = None
                break
        if piece is None:
            # Whatever is odd here is not looked for again before it is behind.
            self.odd_until, self.window = self.place + len(text), FIRST
            return None
        self.window = min(2 * self.window, MOST)
        line = self.line
        data = self.take(self.start + piece.size)
        return self.note_open(Inserts(line, data, self.head, *piece[1:]))

    def may_mislead(self, text: bytes) -> bool:
        """Whether a backslash in `text` may escape, or be a part of a longer character."""
        if self.escaped is ESCAPED or b"\\" not in text:
            return False
        return self.backslash_strings or b"E'" in text or b"e'" in text

    def begin_run(self) -> bool:
        """Whether a statement begins here that may be one of many."""
        found = HEAD.match(self.buffer, self.start)
        if not found and self.buffer.endswith(HALF, self.start) and self.refill():
            found = HEAD.match(self.buffer, self.start)
        head = found.group() if found else b""
        if b"--" in head or b"/*" in head or b"'" in head:
            return False
        if head != self.head:
            self.head, self.window = head, FIRST
        return bool(head)

    def note_open(self, event: Inserts) -> Event:
        """Remember a statement that `event` leaves open; a `Cut` where that grows too long."""
        if event.statements:
            self.opened = None
            return event
        if self.opened is None:
            self.opened, self.opened_size = Opened(event.line, event.head), 0
        self.opened_size += len(event.data)
        if self.opened_size <= lines.LONGEST:
            return event
        self.is_endless = True
        return self.cut("a statement")

    def rest_of(self, event: Event) -> Event:
        """What was read by psql's rules, as the end of the statement that was open before it."""
        if self.opened is None or isinstance(event, Cut):
            return event
        self.opened = None
        if not isinstance(event, Statement):
            return event
        return Inserts(event.line, event.sql, self.head, event.groups, 1)

    def cut(self, what: str) -> Cut:
        """Stream ended inside the statement that begins here; its text is not shown."""
        head, line = self.buffer[self.start : self.start + 200], self.line
        if self.opened is not None:
            line, head = self.opened
        words = head.split(maxsplit=2)
        opening = b" ".join(word for word in words[:2] if word.isalpha()).decode()
        where = what + (f" that begins with {opening}" if opening else "")
        return Cut(line, where, is_endless=self.is_endless)

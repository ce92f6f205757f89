"""Reads a plain dump as a stream: statements, COPY data, comments and psql's meta-commands.

The rules are psql's own (psqlscan.l): what ends a statement, what quotes what, what a backslash
begins. Nothing is executed here, and memory stays near the longest statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_drill.backups.plaindump import lines
from restore_drill.backups.plaindump.copy_reader import CopyReader
from restore_drill.backups.plaindump.events import (
    Comment,
    Cut,
    Event,
    Message,
    MetaCommand,
    Statement,
)
from restore_drill.backups.plaindump.insert_reader import InsertReader
from restore_drill.backups.plaindump.nesting import ROUTINE, SHORT, SIMPLE, STRINGS, Depth
from restore_drill.backups.plaindump.set_statements import MAY_SET
from restore_drill.backups.plaindump.statements import COPY_IN, SIMPLE_INSERT

TOKEN = re.compile(
    rb"""[;'"()\\]|--|/\*|\$(?:[a-z_\x80-\xff][\w\x80-\xff]*+)?\$|\b(?:begin|case|end)\b""",
    re.IGNORECASE,
)
SAID_BY_TOOLS = (b"pg_dump: ", b"pg_dumpall: ", b"pg_restore: ")
"""Begins what a tool writes to its log: no SQL begins so."""
BLANK = re.compile(rb"[\s\0]*+")
BETWEEN = re.compile(rb"(?:[\s\0]++|--\n)*+")
"""What says nothing: blanks, and comments without a word, of which each entry has two."""
ATOMIC = re.compile(rb"\s+atomic\b", re.IGNORECASE)
OF_ROUTINE = re.compile(ROUTINE, re.IGNORECASE)


class PlainReader(CopyReader, InsertReader):
    """Splits the plain dump in `stream` into events; `line` is where it stands.

    One `in_runs` gives `Inserts` for whole runs of plain INSERTs, which is 20 times as fast.
    """

    def events(self) -> Iterator[Event]:
        """All events in order; the last one is a `Cut` where the stream ends inside something."""
        self.refill()
        if self.buffer.startswith(b"\xef\xbb\xbf"):
            self.start = self.scan = 3
        while True:
            event = self.next_event()
            if event is None:
                return
            yield event
            if isinstance(event, Cut):
                return
            begins = isinstance(event, Statement) and COPY_IN.match(event.sql)
            if begins and not (yield from self.copy_data()):
                return

    def next_event(self) -> Event | None:
        """Next event outside COPY data, None at the clean end."""
        if not self.skip_blanks():
            return self.ended()
        if self.buffer.startswith(b"--", self.start):
            line = self.line
            text = self.take(self.line_end())
            return Comment(line, text[2:].strip(), text.endswith(b"\r\n"))
        if self.buffer.startswith(b"\\", self.start):
            line = self.line
            return MetaCommand(line, self.take(self.line_end()).strip())
        if self.buffer.startswith(SAID_BY_TOOLS, self.start):
            line = self.line
            self.take(self.line_end())
            return Message(line)
        if self.in_runs:
            return self.inserts() or self.rest_of(self.statement())
        return self.statement()

    def ended(self) -> Cut | None:
        """What is cut where nothing more begins; None at the clean end."""
        if self.buffer.startswith(b"/*", self.start):
            return Cut(self.line, "a comment", is_endless=self.is_endless)
        return self.cut("a line") if self.is_endless else None

    def skip_blanks(self) -> bool:
        """Move to where something begins; False at the end, also of one inside a block comment.

        A block comment between statements belongs to none of them.
        """
        while True:
            blank = BETWEEN.match(self.buffer, self.start)
            assert blank is not None
            self.line += self.buffer.count(b"\n", self.start, blank.end())
            self.start = self.scan = blank.end()
            if self.buffer.startswith(b"/*", self.start):
                if not self.take_block_comment():
                    return False
            elif self.start < len(self.buffer):
                return True
            elif not self.refill():
                return False

    def statement(self) -> Event:
        """Statement that begins here, up to the semicolon that ends it."""
        if simple := self.simple_insert() or self.simple_statement():
            return simple
        depth = Depth()
        while True:
            token = TOKEN.search(self.buffer, self.scan)
            if token is None:
                if not self.skip_to_more():
                    return self.cut("a statement")
                continue
            text = token.group()
            at, self.scan = token.start(), token.end()
            if text == b";" and not depth.is_inside:
                return self.end_statement(depth.groups)
            if text == b"\\":
                return self.stray_meta_command(at)
            if text[:1].isalpha():
                self.word(text, depth)
            elif text in b"();":
                depth.parenthesis(text)
            elif not self.skip_quoted(text, at):
                return self.cut("a quoted text or comment of a statement")

    def simple_insert(self) -> Statement | None:
        """Statement that begins here, where it is an INSERT of one row and holds no comment."""
        if self.backslash_strings:
            return None
        insert = SIMPLE_INSERT.match(self.buffer, self.start)
        if insert is None:
            return None
        end, find = insert.end(), self.buffer.find
        if find(b"--", self.start, end) >= 0 or find(b"/*", self.start, end) >= 0:
            return None
        self.scan = end
        return self.end_statement(2 if insert.group(1) else 1)

    def simple_statement(self) -> Statement | None:
        """Statement that begins here, where no more than a look at it is needed to find its end."""
        if (simple := SIMPLE.match(self.buffer, self.start, self.start + SHORT)) is None:
            return None
        self.scan = simple.end()
        return self.end_statement(STRINGS.sub(b"", simple.group()).count(b"("))

    def word(self, text: bytes, depth: Depth) -> None:
        """Let `depth` know of a BEGIN, CASE or END in the body of a routine."""
        if depth.is_routine is None:
            depth.is_routine = bool(OF_ROUTINE.match(self.buffer, self.start))
        if depth.is_routine and depth.parens <= 0:
            depth.word(text, atomic=self.is_atomic(text))

    def is_atomic(self, word: bytes) -> bool:
        """Whether `word`, behind which the scan stands, is the BEGIN of a BEGIN ATOMIC."""
        if len(word) < len(b"begin"):
            return False
        blank = BLANK.match(self.buffer, self.scan)
        while blank and blank.end() == len(self.buffer) and self.refill():
            blank = BLANK.match(self.buffer, self.scan)
        return bool(ATOMIC.match(self.buffer, self.scan))

    def end_statement(self, groups: int) -> Statement:
        """Statement up to where the scan stands, right behind its semicolon."""
        line, sql = self.line, self.take(self.scan)
        if len(sql) > lines.BITE:
            self.let_go()
        if sql[:1] in MAY_SET:
            self.note_settings(sql)
        return Statement(line, sql, groups)

    def stray_meta_command(self, at: int) -> MetaCommand:
        """Meta-command in the middle of a statement: psql would run it, so it must be seen."""
        line = self.line + self.buffer.count(b"\n", self.start, at)
        end = self.buffer.find(b"\n", at)
        end = len(self.buffer) if end < 0 else end
        text = self.buffer[at:end].strip()
        self.take(end)
        return MetaCommand(line, text)

"""Reads a plain dump as a stream: statements, COPY data, comments and psql's meta-commands.

The rules are psql's own (psqlscan.l): what ends a statement, what quotes what, what a backslash
begins. Nothing is executed here, and memory stays near the longest statement.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from restore_drill.backups.plaindump import lines
from restore_drill.backups.plaindump.events import (
    Comment,
    CopyData,
    CopyEnd,
    Cut,
    Event,
    Message,
    MetaCommand,
    Statement,
)
from restore_drill.backups.plaindump.lines import Lines

TOKEN = re.compile(
    rb"""[;'"()\\]|--|/\*|\$(?:[a-z_\x80-\xff][\w\x80-\xff]*+)?\$|\b(?:begin|case|end)\b""",
    re.IGNORECASE,
)
PLAIN = rb"""[^'"();\\$]*+"""
NAME = rb"""(?:[^\s'"();\\$.]++|"[^"]*+")"""
SIMPLE_INSERT = re.compile(
    rb"INSERT INTO " + NAME + rb"(?:\." + NAME + rb")? "
    rb"(\(" + PLAIN + rb'(?:"[^"]*+"' + PLAIN + rb")*+\) )?"
    rb"VALUES \(" + PLAIN + rb"(?:(?<![eE])'[^']*+'" + PLAIN + rb")*+\);"
)
"""An INSERT of one row without anything odd, which is nearly all of a dump with --inserts.

No byte of it can be read in two ways and nothing is ever given back, so that a row that is odd is
known for it in one pass.
"""
SAID_BY_TOOLS = (b"pg_dump: ", b"pg_dumpall: ", b"pg_restore: ")
"""Begins what a tool writes to its log: no SQL begins so."""
BLANK = re.compile(rb"[\s\0]*+")
ATOMIC = re.compile(rb"\s+atomic\b", re.IGNORECASE)
ROUTINE = re.compile(rb"create\s++(or\s++replace\s++)?(function|procedure)\b", re.IGNORECASE)
COPY_IN = re.compile(rb"copy\s.*\sfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
BACKSLASH_STRINGS = re.compile(
    rb"set\s+standard_conforming_strings\s*(?:=|to)\s*'?(\w++)'?\s*;", re.IGNORECASE
)
ESCAPED_END = re.compile(rb"[\\']")
LINE_END = re.compile(rb"[\r\n]")
"""Ends a comment, for the server too: what stands behind a lone CR is carried out."""
COMMENT_EDGE = re.compile(rb"/\*|\*/")


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


class PlainReader(Lines):
    """Splits the plain dump in `stream` into events; `line` is where it stands."""

    backslash_strings = False

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
            if isinstance(event, Statement) and COPY_IN.match(event.sql):
                is_whole = yield from self.copy_data()
                if not is_whole:
                    return

    def next_event(self) -> Event | None:
        """Next event outside COPY data, None at the clean end."""
        while True:
            blank = BLANK.match(self.buffer, self.start)
            assert blank is not None
            self.line += self.buffer.count(b"\n", self.start, blank.end())
            self.start = self.scan = blank.end()
            if self.start < len(self.buffer):
                break
            if not self.refill():
                return self.cut("a line") if self.is_endless else None
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
        return self.statement()

    def statement(self) -> Event:
        """Statement that begins here, up to the semicolon that ends it."""
        insert = self.simple_insert()
        if insert is not None:
            return insert
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

    def word(self, text: bytes, depth: Depth) -> None:
        """Let `depth` know of a BEGIN, CASE or END in the body of a routine."""
        if depth.is_routine is None:
            depth.is_routine = bool(ROUTINE.match(self.buffer, self.start))
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
        line = self.line
        sql = self.take(self.scan)
        if sql[:3].lower() == b"set":
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

    def skip_quoted(self, opening: bytes, at: int) -> bool:
        """Move behind what `opening` at index `at` opens; False when the stream ends inside."""
        if opening == b"--":
            return bool(self.search(LINE_END)) or True
        if opening == b"/*":
            return self.skip_block_comment()
        if opening == b"'" and (self.backslash_strings or self.is_escape_string(at)):
            return self.skip_escape_string()
        if opening[:1] == b"$" and at > self.start and self.is_word(self.buffer[at - 1]):
            self.scan = at + 1
            return True
        return self.skip_past(opening)

    @staticmethod
    def is_word(byte: int) -> bool:
        """Whether `byte` can stand inside an identifier."""
        return byte >= 0x80 or chr(byte).isalnum() or byte in b"_$"

    def is_escape_string(self, at: int) -> bool:
        """Whether the quote at `at` is that of an E'...' string."""
        if at - 1 < self.start or self.buffer[at - 1] not in b"eE":
            return False
        return at - 2 < self.start or not self.is_word(self.buffer[at - 2])

    def skip_escape_string(self) -> bool:
        """Move behind a string in which a backslash escapes the next character."""
        while end := self.search(ESCAPED_END):
            if end == b"'":
                return True
            if self.scan >= len(self.buffer) and not self.refill():
                return False
            self.scan += 1
        return False

    def skip_block_comment(self) -> bool:
        """Move behind a block comment; they nest."""
        depth = 1
        while depth:
            edge = self.search(COMMENT_EDGE)
            if edge is None:
                return False
            depth += 1 if edge == b"/*" else -1
        return True

    def note_settings(self, sql: bytes) -> None:
        """Follow standard_conforming_strings, which changes what ends a string."""
        setting = BACKSLASH_STRINGS.match(sql)
        if setting:
            self.backslash_strings = setting.group(1).lower() in (b"off", b"false", b"0")

    def cut(self, what: str) -> Cut:
        """Stream ended inside the statement that begins here; its text is not shown."""
        words = self.buffer[self.start : self.start + 200].split(maxsplit=2)
        opening = b" ".join(word for word in words[:2] if word.isalpha()).decode()
        where = what + (f" that begins with {opening}" if opening else "")
        return Cut(self.line, where, is_endless=self.is_endless)

    def copy_data(self) -> Generator[Event, None, bool]:
        """Data behind a COPY statement up to its end line, and whether there is one.

        A long line comes in pieces.
        """
        self.take(self.line_end())
        begun = self.line
        at_line_start, length = True, 0
        while True:
            if self.start >= len(self.buffer) and not self.refill(part=True):
                yield Cut(begun, "the COPY data")
                return False
            if at_line_start and self.buffer.startswith(b"\\.", self.start):
                end = self.start
            else:
                found = self.buffer.find(b"\n\\.", self.start)
                end = len(self.buffer) if found < 0 else found + 1
                yield CopyData(self.take(end))
                at_line_start = self.buffer.endswith(b"\n", 0, end)
                length = 0 if at_line_start else length + end
                if length > lines.LONGEST:
                    yield Cut(self.line, "a row", is_endless=True)
                    return False
            if end < len(self.buffer):
                line = self.line
                self.take(self.line_end())
                yield CopyEnd(line)
                return True

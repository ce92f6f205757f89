"""What quotes what in SQL, by psql's rules: strings, names, dollar quotes and comments."""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.escapes import ESCAPED, escaped_in
from restore_drill.backups.plaindump.lines import Lines
from restore_drill.backups.plaindump.set_statements import ALL, boolean, settings_in
from restore_drill.backups.plaindump.sql_tokens import COMMENT_EDGE

STRINGS, ENCODING = "standard_conforming_strings", "client_encoding"
QUOTED = {
    b"'": re.compile(rb"[^']*+(?:''[^']*+)*+'"),
    b'"': re.compile(rb'[^"]*+(?:""[^"]*+)*+"'),
}
"""The rest of a text or a name, in which two quotes stand for one.

Where none is found, all that there is belongs to it: lines are whole, so that no pair is parted.
"""
LINE_END = re.compile(rb"[\r\n]")
"""Ends a comment, for the server too: what stands behind a lone CR is carried out."""


class Quotes(Lines):
    """Moves over quoted text; `backslash_strings` says that a backslash escapes in each string.

    `escaped` is the rest of one in which it does, in the encoding that the dump is in.
    """

    backslash_strings = False
    escaped = ESCAPED

    def read_as(self, encoding: str, *, backslash_strings: bool) -> None:
        """Begin in the middle of a dump that has set these."""
        self.escaped, self.backslash_strings = escaped_in(encoding), backslash_strings

    def skip_quoted(self, opening: bytes, at: int) -> bool:
        """Move behind what `opening` at index `at` opens; False when the stream ends inside."""
        if opening == b"--":
            return bool(self.search(LINE_END)) or True
        if opening == b"/*":
            return self.skip_block_comment()
        if opening == b"'" and (self.backslash_strings or self.is_escape_string(at)):
            return self.skip(self.escaped)
        if opening in QUOTED:
            return self.skip(QUOTED[opening])
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

    def skip(self, rest: re.Pattern[bytes]) -> bool:
        """Move behind the `rest` of what has begun; False when the stream ends inside."""
        while True:
            found = rest.match(self.buffer, self.scan)
            if found:
                self.scan = found.end()
                return True
            if not self.skip_to_more():
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

    def take_block_comment(self) -> bool:
        """Consume the block comment that begins here; False when the stream ends inside."""
        self.scan = self.start + len(b"/*")
        is_whole = self.skip_block_comment()
        if is_whole:
            self.take(self.scan)
        return is_whole

    def note_settings(self, sql: bytes) -> None:
        """Follow standard_conforming_strings and the encoding, which change what ends a string."""
        for setting in settings_in(sql):
            if setting.name in (ENCODING, ALL):
                encoding = b"".join(setting.values)
                self.escaped = escaped_in(encoding.decode("ascii", "replace"))
            if setting in ((ALL, ()), (STRINGS, ())):
                self.backslash_strings = False
            elif setting.name == STRINGS and len(setting.values) == 1:
                is_standard = boolean(setting.values[0])
                if is_standard is not None:
                    self.backslash_strings = not is_standard

"""The bytes of a plain dump, some lines at a time: a buffer that never grows without bounds."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Protocol

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.servers.place import available_memory

CHUNK = 1 << 20
"""Bytes that are read at once."""
BITE = 1 << 25
"""Bytes that are read at once at most, for a long statement, and of one that are held twice."""
LONGEST = (1 << 30) - 1
"""Bytes of a statement or a line above which no PostgreSQL takes it in: its own limit."""
LARGE = 1 << 26
"""Bytes of a statement from which on free memory is checked before more of it is read."""
HELD = 3
"""Bytes of memory that a byte of a long statement takes: what is read, joined and handed on."""


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, none at the end."""


class Lines:
    """What is unread of `stream`: whole lines in `buffer` from `start` on, the rest in `tail`.

    `scan` is how far it has been looked through, `line` the number of the line at `start`,
    `passed` the bytes before the buffer. Where a statement or line is longer than LONGEST,
    `is_endless` is set and no more is read.
    """

    def __init__(self, stream: Readable) -> None:
        """Read from `stream`, at its start."""
        self.stream = stream
        self.buffer = b""
        self.tail = b""
        self.start = 0
        self.scan = 0
        self.passed = 0
        self.line = 1
        self.at_end = False
        self.is_endless = False

    @property
    def place(self) -> int:
        """Offset in the stream of what is taken next."""
        return self.passed + self.start

    def refill(self, *, part: bool = False) -> bool:
        """Append more lines to what is unread; False at the end of the stream, or where endless.

        With `part` a line that is not at its end yet is given piece by piece, so that no more
        than a piece of it is ever held.
        """
        if self.at_end or self.is_endless:
            return False
        # Whole lines only, so that no token is ever split; a long statement doubles the bite.
        rest = self.buffer[self.start :]
        pieces: list[bytes | memoryview] = [rest, self.tail]
        held = len(rest) + len(self.tail)
        while True:
            self.check_length(held)
            if self.is_endless:
                return False
            more = self.stream.read(max(CHUNK, min(held, BITE)))
            end = more.rfind(b"\n") + 1
            if end or not more or (part and held + len(more) >= len(b"\\.")):
                break
            pieces.append(more)
            held += len(more)
        self.at_end = not more
        if not end:
            end = len(more)
        pieces.append(memoryview(more)[:end])
        self.tail = more[end:]
        self.passed += self.start
        self.scan -= self.start
        self.start = 0
        self.buffer, before = b"", len(rest)
        del rest, more
        self.buffer = joined(pieces)
        return len(self.buffer) > before

    def check_length(self, held: int) -> None:
        """Look before more is read whether `held` bytes of one thing are too many.

        CouldNotRun where PostgreSQL may take them, and this machine's memory does not.
        """
        if held > LONGEST:
            self.is_endless = True
        elif held >= LARGE and HELD * held > available_memory():
            raise CouldNotRun(
                f"memory ran out: what begins at line {self.line:,} of the backup is longer than "
                + show_bytes(held),
                checked=[f"{show_bytes(available_memory())} of memory are available"],
                remedy=remedy_for("machine", "memory"),
            )

    def take(self, end: int) -> bytes:
        """Consume the buffer up to `end` and count its lines."""
        piece = self.buffer[self.start : end]
        self.line += piece.count(b"\n")
        self.start = self.scan = end
        return piece

    def let_go(self) -> None:
        """Hold nothing of what has been taken."""
        self.passed += self.start
        self.buffer = self.buffer[self.start :]
        self.start = self.scan = 0

    def line_end(self) -> int:
        """Index behind the current line; lines are always whole in the buffer."""
        end = self.buffer.find(b"\n", self.start)
        return len(self.buffer) if end < 0 else end + 1

    def skip_to_more(self) -> bool:
        """Nothing of interest is left in the buffer: go on behind it."""
        self.scan = len(self.buffer)
        return self.refill()

    def skip_past(self, closing: bytes) -> bool:
        """Move behind the next `closing`."""
        while True:
            found = self.buffer.find(closing, self.scan)
            if found >= 0:
                self.scan = found + len(closing)
                return True
            if not self.skip_to_more():
                return False

    def search(self, pattern: re.Pattern[bytes]) -> bytes | None:
        """Move behind the next match of `pattern`; its text, None when the stream ends before."""
        while True:
            found = pattern.search(self.buffer, self.scan)
            if found:
                self.scan = found.end()
                return found.group()
            if not self.skip_to_more():
                return None


def joined(pieces: list[bytes | memoryview]) -> bytes:
    """All `pieces`; of many bytes none is held longer than it takes to join it."""
    if sum(map(len, pieces)) < BITE:
        return b"".join(pieces)
    whole = BytesIO()
    pieces.reverse()
    while pieces:
        whole.write(pieces.pop())
    return whole.getvalue()

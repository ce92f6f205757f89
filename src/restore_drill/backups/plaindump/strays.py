"""What got into a plain dump on its way: messages of pg_dump, and a CR before each line end.

A job that writes 2>&1 mixes both streams at any place, in the middle of a row too. A transfer in
text mode puts a CR before each LF: the server takes rows of a COPY as they were all the same, but
texts of several lines (functions' bodies, values of INSERTs) come back with the CRs in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from restore_drill.backups.plaindump.events import Comment, CopyData, Inserts, Statement
from restore_drill.backups.plaindump.sql_tokens import tokens_of
from restore_drill.core.units import show_count

TOOLS = (b"pg_dump", b"pg_dumpall", b"pg_restore")
MESSAGE = b"pg_dump: "
PART = -1
"""Instead of the number of tabs of a long line, which comes in pieces."""
QUOTED = ("text", "dollar", "escaped", "name")


@dataclass
class Strays:
    """Follows a dump; `is_translated` while each comment line so far has ended with CRLF."""

    messages: list[str] = field(default_factory=list)
    altered: list[int] = field(default_factory=list)
    is_translated: bool | None = None
    columns: int = -1
    is_inside: bool = False

    def message(self, line: int) -> None:
        """A line between statements that is a message."""
        self.messages.append(f"at line {line:,}")

    def comment(self, comment: Comment) -> None:
        """See how a comment line ends."""
        if self.is_translated is not False:
            self.is_translated = comment.has_cr

    def statement(self, statement: Statement) -> None:
        """Look for what does not belong into a statement."""
        self.columns, self.is_inside = -1, False
        sql = statement.sql
        if MESSAGE in sql and has_message(sql):
            self.messages.append(f"in the statement at line {statement.line:,}")
        if self.is_translated and b"\r\n" in sql:
            quoted = (each for each in tokens_of(sql) if each.kind in QUOTED)
            if any(b"\r\n" in each.text for each in quoted):
                self.altered.append(statement.line)

    def inserts(self, event: Inserts, begun: int) -> None:
        """As `statement`, of which `begun` is the line.

        Only the rest of one may be anything: what was read as plain holds no message.
        """
        is_rest = event.is_rest and event.statements == 1
        if is_rest or (self.is_translated and b"\r\n" in event.data):
            self.statement(Statement(begun, event.data))
        self.columns, self.is_inside = -1, False

    def rows(self, event: CopyData, table: str) -> None:
        """Look for messages among rows: beside one a row has too few columns, or too many.

        `columns` are the tabs of the first row; `is_inside`: the last piece ended within a row.
        A table of one column is left alone: a row of it may say anything.
        """
        data = event.data
        if self.columns < 0 and not self.is_inside:
            self.columns = tabs(data, 0)
        # Nearly all data ends here: one byte is found thirty times as fast as the words, and
        # these twice as fast from behind.
        is_there = self.columns > 0 and b"_" in data and data.rfind(MESSAGE) >= 0
        at = data.find(MESSAGE) if is_there else -1
        while at >= 0:
            start, end = data.rfind(b"\n", 0, at) + 1, line_end(data, at)
            is_known = start > 0 or not self.is_inside
            if is_known and {tabs(data, start), tabs(data, end)} - {self.columns, PART}:
                self.messages.append(f"among the rows of {table}")
            at = data.find(MESSAGE, end)
        self.is_inside = not data.endswith(b"\n")

    def faults(self, *, ended: bool) -> list[str]:
        """What is wrong with the dump; whether it has `ended` as pg_dump ends one."""
        found = [self.fault_of_messages()] if self.messages else []
        if self.is_translated and self.altered and ended:
            found.append(
                f"all its lines end with CRLF, as after a transfer in text mode: "
                f"{show_count(len(self.altered), 'text')} of several lines (the first at line "
                f"{self.altered[0]:,}) would come back with CRs that were not in the source; "
                "transfer the dump in binary mode (on Windows pg_dump --file=FILE, not >), or run "
                "dos2unix on it, which restores the original dump"
            )
        return found

    def fault_of_messages(self) -> str:
        """Fault of a dump with lines of pg_dump's own messages in it."""
        return (
            f"it contains {show_count(len(self.messages), 'line')} of pg_dump's messages, "
            f"the first {self.messages[0]}: the job writes its stderr into the dump (2>&1); "
            "redirect it elsewhere: 2> backup.log"
        )


def has_message(sql: bytes) -> bool:
    """Whether the statement holds a tool's name and a colon outside of quotes."""
    last = b""
    for token in tokens_of(sql):
        if token.text == b":" and last in TOOLS:
            return True
        last = token.text
    return False


def line_end(data: bytes, at: int) -> int:
    """Index behind the line in which `at` stands."""
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end + 1


def tabs(data: bytes, start: int) -> int:
    """Tabs in the line that begins at `start`; PART where it has no end in `data`."""
    end = line_end(data, start)
    return data.count(b"\t", start, end) if data.endswith(b"\n", start, end) else PART

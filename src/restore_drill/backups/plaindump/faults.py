"""What is wrong with a plain dump: statements that no dump may hold, and where it is cut."""

from __future__ import annotations

import re

from restore_drill.backups.model import REFUSED
from restore_drill.backups.plaindump.events import Cut, MetaCommand
from restore_drill.backups.plaindump.lines import LONGEST
from restore_drill.core.units import show_bytes

HARMLESS_META = (b"\\restrict ", b"\\unrestrict ", b"\\connect ", b"\\encoding SQL_ASCII ")
"""pg_dump's own meta-commands: read by us, never given to psql; the last one comes before names of
databases with special characters."""
PROGRAMS = re.compile(rb"\\(?:copy|g|gx|i|ir|include|include_relative|o|out|w|write)\b|\\!")
"""Meta-commands that are named: any other word may be a row's, where quotes are not as they were.
"""
END = b"\\."
MOST = 1000
"""Refused statements that are listed one by one."""


class Faults:
    """The faults of one dump, a line each in `found`."""

    def __init__(self) -> None:
        """Start with none."""
        self.found: list[str] = []
        self.refused = 0
        self.has_stray_end = False

    def refuse(self, line: int, what: str) -> None:
        """Note a statement that no dump may hold and `what` it is, unless that is empty."""
        if what:
            self.refused += 1
            if self.refused <= MOST:
                self.found.append(f"line {line:,}: {what}; pg_dump never writes it{REFUSED}")

    def refuse_meta(self, command: MetaCommand) -> None:
        r"""Note a meta-command that pg_dump does not write: it would run code here.

        Not so `\.`, the end of rows: one where none are is noted once, as damage.
        """
        if command.text == END:
            if not self.has_stray_end:
                self.found.append(f"line {command.line:,}: an end of rows (\\.) where none are")
            self.has_stray_end = True
        elif not (command.text + b" ").startswith(HARMLESS_META):
            self.refuse(command.line, kind_of(command.text))

    def refused_more(self) -> None:
        """Add how many more were refused than are listed."""
        if self.refused > MOST:
            self.found.append(f"and {self.refused - MOST:,} more like it{REFUSED}")

    def cut(self, cut: Cut, table: str) -> None:
        """The stream ended in the middle, among the rows of `table` where that is not empty."""
        where = f"{cut.where} of {table}" if table else cut.where
        if cut.is_endless:
            self.found.append(
                f"line {cut.line:,}: {where} is longer than {show_bytes(LONGEST)}, more "
                "than PostgreSQL accepts: the file is damaged or was made to exhaust memory"
            )
        else:
            self.found.append(f"it ends inside {where}, which begins at line {cut.line:,}")


def kind_of(text: bytes) -> str:
    """What the meta-command `text` is, without a word of it that may be a row's."""
    named = PROGRAMS.match(text)
    word = f" {named[0].decode()!r}" if named else ""
    return f"psql meta-command{word}, which could run programs here"

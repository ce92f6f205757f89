"""Statements in a dump that may change rows and that no pg_dump writes: they run, and are reported.

Rows that an UPDATE at the end of a dump changes come back without an error and in the right number:
only a manifest shows that they are not those of the source.
"""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.refusals import QUERIES
from restore_drill.backups.plaindump.sql_tokens import END, tokens_of
from restore_drill.backups.plaindump.statements import SETTING, SETVAL
from restore_drill.core.units import show_count

CHANGING = {*QUERIES, "truncate"}
"""First words of such statements: a function that is called may change rows too."""
UNTEMPLATED = re.compile(
    rb"UPDATE pg_catalog\.pg_database SET datistemplate = '?false'? WHERE datname = '[^']*';"
)
"""How pg_dump drops a template database."""
OF_DUMP = (SETTING, SETVAL, UNTEMPLATED)
"""What nearly every dump holds, known without a look at its words."""
FEW = 3
"""Statements that are named with their lines."""


class RowChanges:
    """Counts such statements among those that are neither COPY, INSERT nor definitions."""

    def __init__(self) -> None:
        """Start with none."""
        self.count = 0
        self.first: list[str] = []

    def note(self, sql: bytes, line: int) -> None:
        """Take in one statement, which begins at `line`."""
        if any(each.fullmatch(sql) for each in OF_DUMP):
            return
        words = tokens_of(sql)
        first = next(words, END)
        if first is END or first.word not in CHANGING:
            return
        if first.word == "select":
            from restore_drill.backups.plaindump.own_queries import is_of_dump  # noqa: PLC0415

            if is_of_dump(sql, words):
                return
        self.count += 1
        if self.count <= FEW:
            self.first.append(f"{first.word.upper() or 'a query'} at line {line:,}")

    @property
    def description(self) -> str:
        """`2 statements that no pg_dump writes: UPDATE at line 120, DO at line 130`."""
        if not self.count:
            return ""
        more = [f"{self.count - FEW:,} more"] if self.count > FEW else []
        counted = show_count(self.count, "statement")
        return f"{counted} that no pg_dump writes: {', '.join([*self.first, *more])}"

"""Statements whose end psql does not see, so that it cannot restore a dump that the drill can.

In a CREATE FUNCTION or PROCEDURE psql 14 and newer takes each bare word BEGIN for that of a body in
standard SQL (psqlscan.l, `begin_depth`), and waits for its END. pg_dump quotes no name that the
server would take without, and BEGIN is one: psql then reads on, over all that follows. Seen with
15.19 and 18.6: no table had rows, and psql ended with 3.
"""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.names import QUALIFIED, dotted
from restore_drill.backups.plaindump.nesting import ROUTINE, Depth
from restore_drill.backups.plaindump.sql_tokens import outermost, tokens_of

BEGIN = re.compile(rb"\bbegin\b", re.IGNORECASE)
NAMED = re.compile(ROUTINE + rb"\s++(?P<name>" + QUALIFIED + rb")", re.IGNORECASE)
FEW = 3
"""Statements that are named with their lines."""


class Misread:
    """Notes such statements; `first` names a few: `function public.begin (line 30)`."""

    def __init__(self) -> None:
        """Start with none."""
        self.first: list[str] = []

    def note(self, sql: bytes, line: int) -> None:
        """Take in a definition, which begins at `line`."""
        routine = NAMED.match(sql) if len(self.first) < FEW else None
        if routine and BEGIN.search(sql) and is_read_on(sql):
            kind = routine["kind"].decode().lower()
            self.first.append(f"{kind} {dotted(routine['name'])} (line {line:,})")


def is_read_on(sql: bytes) -> bool:
    """Whether psql reads past the semicolon that ends `sql`, which creates a routine."""
    depth = Depth()
    for token in outermost(tokens_of(sql)):
        if token.word in ("begin", "case", "end"):
            depth.word(token.text, atomic=token.word == "begin")
    return depth.is_inside

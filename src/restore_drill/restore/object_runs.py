"""Where in the runs on large objects a dump has been read to: what is open there.

pg_dump writes three statements for each object, and wraps them all in one transaction. That is
known here, so that a run can be a transaction of its own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from restore_drill.restore.session import Session

OPENED_OR_WRITTEN = re.compile(rb"lo_open\('(\d+)'|lowrite\(0, '\\x([0-9a-f]*+)'")
OPENING = (b"BEGIN;", b"SELECT pg_catalog.lo_open(")
"""What leaves something open on its own connection, which others that take a run do not know."""
FRAME = re.compile(rb"^(?:BEGIN|COMMIT);$", re.MULTILINE)
MARK = re.compile(
    rb"^(?:(?:SELECT pg_catalog\.lo_?+)?+(open|write|close)\(|(BEGIN|COMMIT);$)", re.MULTILINE
)
BEGUN = rb"BEGIN (?:open (?:write |(?!))*+close |(?!))*+"
SHAPE = re.compile(
    b"(?:" + BEGUN + b"COMMIT |(?!))*+(?:" + BEGUN + b"(?:open (?:write |(?!))*+|(?!))?+|(?!))?+"
)
"""How pg_dump has them: one object is open at a time, and none behind the end of a transaction.

Anywhere else `lowrite(0, ...)` fails, or writes to another object than the last that was opened.
"""


class Open(NamedTuple):
    """The object that is open in a place of the dump, empty for none, and how far it is written."""

    oid: bytes = b""
    offset: int = 0

    def after(self, sql: bytes) -> Open:
        """What is open behind the run `sql`."""
        last = sql.rfind(b"lo_open('")
        if b"lo_close(" in sql[max(last, 0) :]:
            return Open()
        here = self
        for oid, written in OPENED_OR_WRITTEN.findall(sql, max(last, 0)):
            here = Open(oid) if oid else here.written(written)
        return here

    def written(self, digits: bytes) -> Open:
        """The same behind a piece of so many hexadecimal `digits`."""
        return self._replace(offset=self.offset + len(digits) // 2)


class ObjectRuns:
    """The runs of one dump: `here` is what is open behind those that were passed by.

    It `is_framed` where a transaction has been begun there.
    """

    def __init__(self) -> None:
        """Start with no run."""
        self.here = Open()
        self.is_framed = False

    def fits(self, sql: bytes) -> bool:
        """Whether a run goes on with what is open as pg_dump would, and so says what it writes."""
        before = (b"BEGIN " if self.is_framed else b"") + (b"open " if self.here.oid else b"")
        marks = (word or frame for word, frame in MARK.findall(sql))
        return bool(SHAPE.fullmatch(before + b"".join(mark + b" " for mark in marks)))

    @property
    def is_open(self) -> bool:
        """Whether what comes next is part of a transaction that has been begun."""
        return self.is_framed or bool(self.here.oid)

    def pass_by(self, sql: bytes) -> None:
        """Go on behind the run `sql`."""
        self.here = self.here.after(sql)
        self.is_framed ^= len(FRAME.findall(sql)) % 2 == 1

    def go_on(self, session: Session) -> None:
        """Let `session` go on where the dump has been read to, statement by statement."""
        if self.is_framed:
            session.succeeds(b"BEGIN")
        if self.here.oid:
            session.succeeds(b"SELECT pg_catalog.lo_open(%b, 131072)" % self.here.oid)
            session.succeeds(b"SELECT pg_catalog.lo_lseek64(0, %d, 0)" % self.here.offset)
        self.here, self.is_framed = Open(), False

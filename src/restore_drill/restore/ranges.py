"""One large table over several connections: each loads ranges of its rows, as many as it manages.

That is for a table beside which the connections have nothing else to load. Its rows lie in the
order of the dump but for what is loaded at the same moment. Whatever goes wrong, all of them are
thrown away and the table is loaded over one connection, so that errors are the same.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.statements import COPY
from restore_drill.core.errors import CouldNotRun
from restore_drill.restore.blocks import PIECE, Block
from restore_drill.restore.given import names_all
from restore_drill.restore.pool import Pool
from restore_drill.restore.relations import Table, query
from restore_drill.restore.session import Session
from restore_drill.restore.steps import Settings
from restore_drill.restore.wire import GivenUp

RANGE = 4 * PIECE
"""Bytes that a connection takes at once, and the line at their end."""
LEAST = 16_000_000
"""Bytes of a table from which on more than one connection loads it."""
FIRST = 1 << 60
"""Weight of what no other work is to be done before."""
LINE_END = re.compile(rb"[^\\]\n")
"""The end of a row for sure: behind a backslash the row may go on."""
IS_EASY = """
    SELECT NOT c.relhasindex AND NOT c.relhasrules AND NOT c.relhassubclass
    FROM pg_catalog.pg_class c WHERE c.oid = {}
"""
"""Whether nothing compares its rows with each other as they come."""


def hands_for(size: int, total: int, jobs: int) -> int:
    """How many of `jobs` connections load a table of `size` bytes, in a dump of `total` bytes.

    More than one where the other tables would leave them idle.
    """
    return min(jobs, round(size * jobs / total)) if LEAST <= size <= total else 1


class Ranges:
    """The rows of `block`, dealt out to whoever asks for `pieces`, in ranges of whole lines."""

    def __init__(self, block: Block) -> None:
        """Nothing is taken yet."""
        self.block = block
        self.taken = 0
        self.is_cut = False
        self.dealing = threading.Lock()

    def pieces(self, stop: threading.Event) -> Iterator[bytes]:
        """The bytes of range after range until none are left, or the ranges are `cut` off."""
        while (found := self.next_range(stop)) is not None:
            for piece in self.block.read(*found, stop):
                # The server takes the end of the first line for that of all: CRLF or LF.
                self.is_cut |= b"\r" in piece
                if self.is_cut:
                    return
                yield piece

    def next_range(self, stop: threading.Event) -> tuple[int, int] | None:
        """Where the next range begins and ends in the block; None where there is none."""
        with self.dealing:
            begin, self.taken = self.taken, self.line_end(self.taken + RANGE, stop)
            self.is_cut |= self.block.is_cut
            is_over = self.is_cut or begin == self.taken
            return None if is_over or stop.is_set() else (begin, self.taken)

    def line_end(self, at: int, stop: threading.Event) -> int:
        """The first end of a row from `at` on, or that of the block."""
        while at < self.block.wait_for(at + PIECE, stop):
            piece = self.block.at(at - 1, PIECE)
            found = LINE_END.search(piece)
            if found:
                return at - 1 + found.end()
            at += len(piece) - 1
        return self.block.size


@dataclass
class RangedLoad:
    """The rows of `block`, behind the COPY `statement`, into `table` (in SQL: `name`)."""

    pool: Pool
    statement: Statement
    table: Table
    name: bytes
    block: Block
    settings: Settings
    hands: int
    busy: int = 0
    is_over: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        """Deal its rows out."""
        self.ranges = Ranges(self.block)

    def lead(self, session: Session) -> None:
        """Load the table on `session`, with others of the pool where that changes nothing."""
        session.apply(self.settings)
        try:
            if self.is_easy(session) and self.load_together(session):
                return
        except psycopg.Error as error:
            session.lost(error)
        session.load(self.statement, self.block, fresh=self.name)

    def is_easy(self, session: Session) -> bool:
        """Whether order means nothing to the table, which is empty now and can be emptied again."""
        session.current = self.statement
        copy = COPY.fullmatch(self.statement.sql)
        # Defaults of columns that are left out may count the rows, in the order of the dump.
        is_given = copy is not None and names_all(copy["columns"] or b"", self.table)
        is_easy = query(session, IS_EASY.format(self.table.oid.decode())) == [[b"t"]]
        if not (is_easy and is_given):
            return False
        return session.empties(self.name) and session.succeeds(b"COMMIT")

    def load_together(self, session: Session) -> bool:
        """Load all ranges; False, and the table empty as before, where any was refused."""
        for _ in range(self.hands - 1):
            self.pool.submit(self.join, weight=FIRST)
        self.join(session)
        with self.changed:
            self.is_over = True
            while self.busy and not session.stop.is_set():
                self.changed.wait(0.2)
        if session.stop.is_set():
            raise GivenUp
        if self.ranges.is_cut and not session.succeeds(b"TRUNCATE ONLY " + self.name):
            raise CouldNotRun(
                "a table whose rows were loaded in part can no longer be emptied",
                checked=[session.doing()],
            )
        return not self.ranges.is_cut

    def join(self, session: Session) -> None:
        """Load ranges on `session` until there are no more."""
        with self.changed:
            if self.is_over:
                return
            self.busy += 1
        try:
            if not session.load_part(self.statement, self.ranges, self.settings):
                self.ranges.is_cut = True
        finally:
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()

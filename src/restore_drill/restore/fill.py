"""The rows of one table that a dump holds as INSERTs, on one connection: as COPY where they may be.

COPY brings rows four times as fast as INSERTs of many, and twenty times as fast as INSERTs of one.
All go into one transaction first; where anything speaks against that, they go in portions, and a
portion that fails statement by statement, so that each error is reported as psql would report it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from restore_drill.backups.plaindump.events import Event, Inserts, Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.singly import statements_in
from restore_drill.restore.as_copy import AsCopy
from restore_drill.restore.filling import BlockStream, Count, Filling, NotAsCopy
from restore_drill.restore.inserted_table import InsertedTable
from restore_drill.restore.plain import LONGEST, MAX_ERRORS
from restore_drill.restore.session import Session

FREEZE = b" WITH (FREEZE)"


@dataclass
class Fill:
    """Carries out the statements of `filling` on `session`."""

    session: Session
    filling: Filling
    ways: dict[bytes, AsCopy | None] = field(default_factory=dict)
    inserted: InsertedTable = field(init=False)

    def run(self, *, fresh: bool) -> None:
        """Bring the rows; `fresh` says that a truncated table is to take them."""
        session = self.session
        session.apply(self.filling.settings)
        session.current = Statement(self.filling.line, b"INSERT INTO " + self.filling.name)
        self.inserted = InsertedTable(session, self.filling.table)
        try:
            if not self.at_once(fresh=fresh):
                self.in_portions()
        except psycopg.Error as error:
            session.lost(error)

    def events(self) -> Iterator[Event]:
        """What the block holds, from its first line on."""
        reader = PlainReader(BlockStream(self.filling.block, self.session), in_runs=True)
        reader.line = self.filling.line
        reader.read_as(self.session.encoding, backslash_strings=self.session.escapes)
        return reader.events()

    def way(self, head: bytes) -> AsCopy | None:
        """How statements that begin with `head` become COPY, if they can."""
        if head not in self.ways:
            self.ways[head] = self.inserted.as_copy(head)
        return self.ways[head]

    def at_once(self, *, fresh: bool) -> bool:
        """Copy all, frozen where `fresh`; False, and nothing done, where that cannot be."""
        events = self.events()
        first = next(events, None)
        way = self.way(first.head) if isinstance(first, Inserts) else None
        if way is None or not isinstance(first, Inserts) or way.text_of(first) is None:
            return False
        is_begun = self.session.empties(self.filling.name) if fresh else self.begin()
        if not is_begun:
            return False
        count = Count()
        texts = self.texts(self.events(), way, count)
        if not self.copy(way.statement + (FREEZE if fresh else b""), texts):
            return False
        self.session.restoration.statements += count.statements
        return True

    def begin(self) -> bool:
        """Begin a transaction."""
        return self.session.succeeds(b"BEGIN")

    def texts(self, events: Iterable[Event], way: AsCopy, count: Count) -> Iterator[bytes]:
        """All rows as COPY text, and in `count` the statements that they stand in."""
        is_open = False
        for event in events:
            if not isinstance(event, Inserts) or event.head != way.head:
                raise NotAsCopy
            text = way.text_of(event)
            if text is None:
                raise NotAsCopy
            count.statements += event.statements
            is_open = not event.statements
            self.session.loaded += len(event.data)
            yield text
        if is_open:
            raise NotAsCopy

    def copy(self, sql: bytes, texts: Iterable[bytes]) -> bool:
        """Copy in the transaction that has begun and end it; False, and nothing done, if it failed.

        A warning counts as a failure: it is to be told with the line of its statement.
        """
        wire = self.session.wire
        with self.session.silently():
            result = wire.exec_(sql)
            is_good = result.status == ExecStatus.COPY_IN
            if is_good:
                try:
                    for text in texts:
                        wire.put_copy_data(text)
                except NotAsCopy:
                    wire.end_copy(b"these rows are no COPY")
                    is_good = False
                else:
                    is_good = are_good(wire.end_copy())
            is_good = is_good and not self.session.has_warned
            done = wire.exec_(b"COMMIT" if is_good else b"ROLLBACK")
        return is_good and done.command_status == b"COMMIT"

    def in_portions(self) -> None:
        """As many statements at once as were read at once; each that stands alone by itself."""
        portion: list[Inserts] = []
        for event in self.events():
            if len(self.session.restoration.errors) >= MAX_ERRORS:
                return
            if isinstance(event, Inserts):
                portion = [*portion, event] if event.is_rest else [event]
                if event.statements:
                    self.portion(portion)
            elif isinstance(event, Statement):
                self.session.execute(event)

    def portion(self, pieces: list[Inserts]) -> None:
        """Bring whole statements, of which the first may have come in several pieces."""
        session = self.session
        data = b"".join(piece.data for piece in pieces)
        way = self.way(pieces[0].head)
        texts = [way.text_of(piece) for piece in pieces] if way else [None]
        good = [text for text in texts if text is not None]
        session.current = Statement(pieces[0].line, data[:LONGEST])
        if way and len(good) == len(texts):
            is_done = self.begin() and self.copy(way.statement, good)
        else:
            is_done = self.inserted.may_repeat(pieces) and session.succeeds_silently(data)
        session.loaded += len(data)
        if is_done:
            session.restoration.statements += pieces[-1].statements
            return
        for statement in statements_in(
            data, pieces[0].line, session.encoding, backslash_strings=session.escapes
        ):
            if len(session.restoration.errors) >= MAX_ERRORS:
                return
            session.execute(statement)


def are_good(results: Iterable[PGresult]) -> bool:
    """Whether a COPY went well."""
    return all(result.status == ExecStatus.COMMAND_OK for result in results)

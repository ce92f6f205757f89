"""Deals the events of a plain dump out: to one connection in its order, or to several at once.

What pg_dump's own comments and the words of a statement agree on goes to
the connections: rows, then indexes and keys as soon as their table is loaded. All else runs at its
place in the dump, once everything before it has run; from what changes the session, on to the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from restore_drill.backups.plaindump.events import (
    Comment,
    CopyData,
    CopyEnd,
    Cut,
    Event,
    MetaCommand,
    Statement,
)
from restore_drill.backups.plaindump.lexer import COPY_IN
from restore_drill.backups.plaindump.names import dotted
from restore_drill.restore import entries
from restore_drill.restore.blocks import Block, Blocks
from restore_drill.restore.entries import Header
from restore_drill.restore.keys import KeyBuilder
from restore_drill.restore.pool import Pool
from restore_drill.restore.relations import Name, Table, parts, read_tables
from restore_drill.restore.session import Session

MB = 1_000_000
FRESH_SIZE = MB
"""Bytes of rows from which on a table is truncated before it is loaded, to write no WAL."""
FIRST = 1 << 60
"""Weight of a block whose size is not known yet."""


@dataclass
class Loading:
    """A COPY whose rows come in."""

    statement: Statement
    table: Table
    name: bytes
    block: Block
    is_submitted: bool = False


@dataclass
class Splitter:
    """Gives the events of one dump to the connection `main` or to those of `pool`.

    `counts` are the rows of its tables, as far as known: they say what is worth doing first.
    """

    main: Session
    pool: Pool
    blocks: Blocks
    tell: Callable[[], None]
    counts: dict[bytes, int] = field(default_factory=dict)
    header: Header | None = None
    serial_since: int = 0
    reason: str = ""
    has_data: bool = False
    settings: dict[bytes, bytes] = field(default_factory=dict)
    entry: list[Statement] = field(default_factory=list)
    patient: list[tuple[dict[bytes, bytes], Statement]] = field(default_factory=list)
    loading: Loading | None = None
    known: dict[Name, Table] | None = None
    keys: KeyBuilder = field(init=False)

    def __post_init__(self) -> None:
        """Let the keys of a table wait for its rows."""
        self.keys = KeyBuilder(self.pool)

    def feed(self, event: Event, place: int) -> None:
        """Take in one event, which ends at offset `place` of the dump."""
        if self.loading is not None and isinstance(event, CopyData | CopyEnd | Cut):
            self.row_data(self.loading, event, place)
        elif isinstance(event, Comment):
            self.comment(event)
        elif isinstance(event, Statement) and not self.serial_since:
            self.statement(event)
        else:
            if isinstance(event, MetaCommand) and event.text.startswith(b"\\connect"):
                self.connect(event)
            self.main.feed(event)

    def break_off(self, line: int, place: int) -> None:
        """No more of the dump is read: whoever loads rows that were still coming is to end."""
        if self.loading is not None:
            self.row_data(self.loading, Cut(line, "the COPY data"), place)

    def end(self) -> None:
        """The dump is at its end: carry out all that is left."""
        self.finish_entry()
        self.settle()

    def comment(self, comment: Comment) -> None:
        """A header begins a new entry."""
        header = entries.header_of(comment)
        if header is not None:
            self.finish_entry()
            self.header = header

    def connect(self, command: MetaCommand) -> None:
        """The dump goes to another database: harmless only before anything was restored."""
        self.finish_entry()
        if self.has_data:
            self.go_serial(command.line, "it changes the database")

    def statement(self, statement: Statement) -> None:
        """Take in one statement."""
        kind = self.header.kind if self.header else ""
        setting = entries.setting_of(statement)
        if setting:
            self.finish_entry()
            self.set(setting, statement)
        elif kind == "TABLE DATA":
            self.has_data = True
            self.table_data(statement)
        elif kind in entries.PLACES:
            self.run_in_place(statement, is_known=entries.is_known_in(kind, statement))
        elif COPY_IN.match(statement.sql):
            # Its rows follow at once, so that it cannot wait for its entry to be whole.
            self.go_serial(statement.line, f"rows in an entry of the kind {kind or 'unknown'}")
            self.main.execute(statement)
        elif self.has_data or kind in entries.AFTER_DATA:
            self.has_data = True
            self.entry.append(statement)
        else:
            is_known = entries.is_definition(statement) or entries.is_large_object(statement)
            self.run_in_place(statement, is_known=is_known)

    def set(self, name: bytes, statement: Statement) -> None:
        """Run a SET here, and remember it for the connections where it went well."""
        if self.main.succeeds_for(statement, statement.sql):
            self.settings = {**self.settings, name: statement.sql}
            self.main.settings = self.settings

    def run_in_place(self, statement: Statement, *, is_known: bool) -> None:
        """Run what touches no table that is being loaded; from anything else on go serially."""
        if not is_known:
            self.go_serial(statement.line, "a statement that pg_dump does not write there")
        self.main.execute(statement)

    def go_serial(self, line: int, reason: str) -> None:
        """From here on run everything at its place, over one connection."""
        self.finish_entry()
        self.settle()
        self.serial_since, self.reason = self.serial_since or line, self.reason or reason

    def settle(self) -> None:
        """Wait for all that was begun, then carry out what was put off."""
        self.keys.finish()
        self.pool.drain(self.tell)
        waiting, self.patient = self.patient, []
        for settings, statement in waiting:
            self.main.apply(settings)
            self.main.execute(statement)
        self.main.apply(self.settings)

    def table(self, name: bytes) -> Table | None:
        """What the catalog says of the table that is `name` in SQL, None where it is not there."""
        if self.known is None:
            self.known = read_tables(self.main)
        return self.known.get(parts(name))

    def table_data(self, statement: Statement) -> None:
        """Begin to load a table; INSERTs, and a table that is odd, at their place."""
        copy = entries.COPY.fullmatch(statement.sql)
        table = self.table(copy["table"]) if copy else None
        if copy and table and not table.is_odd:
            self.loading = Loading(statement, table, copy["table"], self.blocks.new())
        elif copy or entries.INSERT.match(statement.sql):
            self.settle()
            self.main.execute(statement)
        else:
            self.go_serial(statement.line, "a statement among the rows that is no COPY")
            self.main.execute(statement)

    def row_data(self, loading: Loading, event: CopyData | CopyEnd | Cut, place: int) -> None:
        """Rows of the table that is loading, or their end."""
        if isinstance(event, CopyData):
            self.blocks.add(loading.block, event.data, place)
            if loading.block.size >= MB and self.pool.is_hungry:
                self.submit(loading, FIRST)
            return
        loading.block.end(cut=isinstance(event, Cut))
        rows = self.counts.get(dotted(loading.name).encode(), 0)
        self.keys.count(loading.table, loading.block.size, rows)
        self.submit(loading, loading.block.size)
        self.loading = None

    def submit(self, loading: Loading, weight: int) -> None:
        """Let a connection load the table, if none does already."""
        if loading.is_submitted:
            return
        loading.is_submitted = True
        settings, table = self.settings, loading.table

        def load(session: Session) -> None:
            session.apply(settings)
            big = table.is_plain and loading.block.size >= FRESH_SIZE
            session.load(loading.statement, loading.block, fresh=loading.name if big else b"")

        task = self.pool.submit(load, weight=weight, alone=[table.oid])
        self.keys.loading(table, task)

    def finish_entry(self) -> None:
        """Carry out the entry whose statements have been gathered, now or as soon as it may run."""
        statements, self.entry = self.entry, []
        kind = self.header.kind if self.header else ""
        if not statements or self.keys.take(kind, statements, self.settings, self.table):
            return
        if kind in entries.PATIENT and all(map(entries.is_definition, statements)):
            self.patient += [(self.settings, statement) for statement in statements]
            return
        self.settle()
        self.known = None
        if kind == "EVENT TRIGGER" or not all(map(entries.is_whole_at_its_place, statements)):
            self.go_serial(statements[0].line, f"an entry of the kind {kind or 'unknown'}")
        for statement in statements:
            self.main.execute(statement)

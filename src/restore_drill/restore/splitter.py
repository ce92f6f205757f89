"""Deals the events of a plain dump out: to one connection in its order, or to several at once.

What pg_dump's comments and the words of a statement agree on goes to the connections: rows, then
indexes and keys as soon as their table is loaded. All else runs at its place in the dump, once
everything before it has run; from what changes the session, on to the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from restore_drill.backups.plaindump import events as seen
from restore_drill.backups.plaindump import statements as patterns
from restore_drill.backups.plaindump.entries import IN_PLACE, POST_DATA, entry_of
from restore_drill.backups.plaindump.large_objects import kind_behind
from restore_drill.backups.plaindump.object_reader import events_of
from restore_drill.restore.blocks import Blocks
from restore_drill.restore.filler import Filler
from restore_drill.restore.given import names_all
from restore_drill.restore.keys import KeyBuilder
from restore_drill.restore.large_objects import LargeObjectLoader
from restore_drill.restore.loader import Loader
from restore_drill.restore.object_runs import OPENING
from restore_drill.restore.pool import Pool
from restore_drill.restore.relations import Catalog
from restore_drill.restore.session import Session
from restore_drill.restore.steps import PutOff
from restore_drill.restore.views import Views


@dataclass
class Splitter:
    """Gives the events of one dump, of `total` bytes, to the connection `main` or to `pool`."""

    main: Session
    pool: Pool
    blocks: Blocks
    report: Callable[[], None]
    counts: dict[bytes, int] = field(default_factory=dict)  # rows by table, as far as known
    total: int = 0
    kind: str = ""
    serial_since: int = 0
    reason: str = ""
    has_data: bool = False
    settings: dict[bytes, bytes] = field(default_factory=dict)
    entry: list[seen.Statement] = field(default_factory=list)
    put_off: PutOff = field(default_factory=PutOff)
    catalog: Catalog = field(init=False)
    keys: KeyBuilder = field(init=False)
    loader: Loader = field(init=False)
    filler: Filler = field(init=False)
    objects: LargeObjectLoader = field(init=False)
    views: Views = field(init=False)

    def __post_init__(self) -> None:
        """Let the keys of a table wait for its rows."""
        self.catalog = Catalog(self.main)
        self.keys = KeyBuilder(self.pool)
        self.loader = Loader(self.pool, self.blocks, self.keys, self.counts, self.total)
        self.filler = Filler(self.loader, self.catalog)
        self.objects = LargeObjectLoader(self.pool, self.blocks, self.keys)
        self.views = Views(self.pool, self.keys.tables, self.main, self.settle)

    def feed(self, event: seen.Event, place: int) -> None:
        """Take in one event, which ends at offset `place` of the dump."""
        is_filling = self.kind == "TABLE DATA" and not (self.serial_since or self.objects.is_open)
        if self.loader.current and isinstance(event, seen.Rows):
            self.loader.take(event, place)
        elif self.filler.take(event, place, self.settings if is_filling else None):
            self.has_data = True
        elif isinstance(event, seen.Inserts):
            for statement in self.main.single(event):
                (self.main.execute if self.serial_since else self.statement)(statement)
        elif isinstance(event, seen.Comment):
            self.comment(event)
        elif isinstance(event, seen.Statement) and not self.serial_since:
            self.statement(event)
        elif isinstance(event, seen.LargeObjects):
            self.run_of_large_objects(event, place)
        else:
            if isinstance(event, seen.MetaCommand) and event.text.startswith(b"\\connect"):
                self.finish_entry()
                if self.has_data:  # harmless only before anything was restored
                    self.go_serial(event.line, "it changes the database")
            self.main.feed(event)

    def break_off(self, line: int, place: int) -> None:
        """No more of the dump is read: whoever loads rows that were still coming is to end."""
        if self.loader.current:
            self.loader.take(seen.Cut(line, "the COPY data"), place)

    def end(self) -> None:
        """The dump is at its end: carry out all that is left."""
        self.filler.end()
        self.finish_entry()
        self.settle()

    def comment(self, comment: seen.Comment) -> None:
        """A header begins a new entry."""
        if (entry := entry_of(comment.text)) is not None:
            self.finish_entry()
            self.kind = entry.kind
            self.views.meet(self.kind)

    def statement(self, statement: seen.Statement) -> None:
        """Take in one statement."""
        kind, setting = self.kind, patterns.setting_of(statement)
        if self.objects.is_open:
            self.go_serial(statement.line, "a statement among large objects")
            self.main.execute(statement)
        elif setting:
            self.finish_entry()
            self.set(setting, statement)
        elif kind == "TABLE DATA":
            self.has_data = True
            self.table_data(statement)
        elif kind in IN_PLACE:
            self.run_in_place(statement, is_known=bool(IN_PLACE[kind].fullmatch(statement.sql)))
        elif patterns.COPY_IN.match(statement.sql):
            # Its rows follow at once, so that it cannot wait for its entry to be whole.
            self.go_serial(statement.line, f"rows in an entry of the kind {kind or 'unknown'}")
            self.main.execute(statement)
        elif self.has_data or kind in POST_DATA:
            self.has_data = True
            self.entry.append(statement)
        else:
            is_known = patterns.is_definition(statement) or patterns.is_large_object(statement)
            self.run_in_place(statement, is_known=is_known)

    def run_of_large_objects(self, run: seen.LargeObjects, place: int) -> None:
        """Take in a run; one by one what belongs to an entry that is more, or comes serially."""
        is_of_entry = self.entry and not run.sql.lstrip().startswith(b"--")
        if self.serial_since or is_of_entry or not self.objects.fits(run.sql):
            for event in events_of(run):
                self.feed(event, place)
            return
        self.finish_entry()
        self.kind = kind_behind(run.sql, self.kind)
        self.objects.take(run, place, self.settings)

    def set(self, name: bytes, statement: seen.Statement) -> None:
        """Run a SET here, and remember it for the connections where it went well."""
        if self.main.succeeds_for(statement, statement.sql):
            self.settings = self.main.settings = {**self.settings, name: statement.sql}

    def run_in_place(self, statement: seen.Statement, *, is_known: bool) -> None:
        """Run what touches no table that is being loaded; from anything else on go serially."""
        if not is_known or statement.sql.startswith(OPENING):
            self.go_serial(statement.line, "a statement that pg_dump does not write there")
        elif b"LARGE OBJECT" in statement.sql or patterns.is_large_object(statement):
            self.settle()  # what it is about may be on its way
        if is_known and self.filler.has_begun and patterns.SETVAL.fullmatch(statement.sql):
            self.put_off.add(self.settings, [statement])  # INSERTs that run may take its numbers
        else:
            self.main.execute(statement)

    def go_serial(self, line: int, reason: str) -> None:
        """From here on run everything at its place, over one connection."""
        self.finish_entry()
        self.settle()
        self.objects.go_on(self.main)
        self.serial_since, self.reason = self.serial_since or line, self.reason or reason

    def settle(self) -> None:
        """Wait for all that was begun, then carry out what was put off."""
        self.keys.finish()
        self.pool.drain(self.report)
        self.put_off.carry_out(self.main)
        self.main.apply(self.settings)

    def table_data(self, statement: seen.Statement) -> None:
        """Begin to load a table; one that is not parallel-safe at its place."""
        copy = patterns.COPY.fullmatch(statement.sql)
        table = self.catalog.table(copy["table"]) if copy else None
        is_given = table is not None and names_all(copy["columns"] or b"" if copy else b"", table)
        if copy and table and table.is_parallel_safe and is_given:
            self.loader.begin(statement, table, copy["table"], self.settings)
            return
        if copy or patterns.INSERT.match(statement.sql):
            self.settle()
        else:
            self.go_serial(statement.line, "a statement among the rows that is not a COPY")
        self.main.execute(statement)

    def finish_entry(self) -> None:
        """Carry out the entry whose statements have been gathered, now or as soon as it may run."""
        kind, statements, self.entry = self.kind, self.entry, []
        given = kind, statements, self.settings
        if not statements or self.views.take(*given) or self.keys.take(*given, self.catalog.table):
            return
        if self.put_off.take(*given):
            return
        self.settle()
        self.catalog.forget()
        if kind == "EVENT TRIGGER" or not all(map(patterns.is_whole_at_its_place, statements)):
            self.go_serial(statements[0].line, f"an entry of the kind {kind or 'unknown'}")
        for statement in statements:
            self.main.execute(statement)

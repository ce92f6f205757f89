"""Cuts a dump into portions, each of which becomes one transaction.

A portion is what is rolled back and repeated statement by statement where anything in it fails. So
nothing that has an effect beyond its transaction is in one, nor what one could not be kept for.
"""

from __future__ import annotations

from restore_drill.backups.plaindump.entries import entry_of
from restore_drill.backups.plaindump.events import (
    Comment,
    CopyData,
    CopyEnd,
    Event,
    Inserts,
    LargeObjects,
    Statement,
)
from restore_drill.backups.plaindump.large_objects import kind_behind
from restore_drill.backups.plaindump.object_reader import events_of
from restore_drill.backups.plaindump.statements import (
    COPY_IN,
    INSERT,
    SETVAL,
    STATISTICS,
    filled_table,
    is_definition,
    setting_of,
)
from restore_drill.restore.given import are_given
from restore_drill.restore.object_runs import ObjectRuns
from restore_drill.restore.portion import (
    CALLING,
    KEEPS_COLUMNS,
    READING,
    SIDE_BY_SIDE,
    Crew,
    Portion,
)
from restore_drill.restore.relations import Table

LARGEST = 4_000_000
"""Bytes of a portion, which is kept in memory until it is committed. Rows of a table that are more
go to the server as they are read, in a transaction of their own."""


class Cutter:
    """Gives the events of one dump to a crew, in portions or, what cannot be in one, alone."""

    def __init__(self, crew: Crew) -> None:
        """Cut for `crew`."""
        self.crew = crew
        self.kind = ""
        self.settings: dict[bytes, bytes] = {}
        self.copy: int | None = None
        self.calls = False
        self.portion = Portion({}, {})
        self.objects = ObjectRuns()

    def feed(self, event: Event) -> None:
        """Take in one event."""
        if self.objects.is_open and isinstance(event, Statement | Inserts):
            self.crew.go_on(self.objects)
        if isinstance(event, LargeObjects):
            self.large_objects(event)
        elif self.crew.is_within:
            self.crew.alone(event, self.settings)
            name = setting_of(event) if isinstance(event, Statement) else None
            if name and isinstance(event, Statement):
                self.settings = {**self.settings, name: event.sql}
        elif isinstance(event, Comment):
            self.comment(event)
        elif isinstance(event, Statement):
            self.statement(event)
        elif isinstance(event, Inserts):
            self.filling(event)
        elif isinstance(event, CopyData | CopyEnd) and self.copy is not None:
            self.rows(event)

    def large_objects(self, run: LargeObjects) -> None:
        """Take in a run, one by one where it is not as pg_dump has it, or in a transaction."""
        if self.crew.is_within or not self.objects.fits(run.sql):
            for event in events_of(run):
                self.feed(event)
            return
        self.end()
        self.crew.large_objects(run, self.objects.here, self.settings)
        self.objects.pass_by(run.sql)
        self.kind = kind_behind(run.sql, self.kind)

    def comment(self, comment: Comment) -> None:
        """A header begins a new entry; a portion of tables that is full ends before a table."""
        entry = entry_of(comment.text)
        if entry is not None:
            self.kind = entry.kind
            if self.kind == "TABLE" and self.is_full(1):
                self.end()

    def statement(self, statement: Statement) -> None:
        """Take in one statement."""
        sql, name = statement.sql, setting_of(statement)
        if name:
            self.set(name, statement)
        elif COPY_IN.match(sql) or INSERT.match(sql):
            self.filling(statement)
            if COPY_IN.match(sql):
                self.copy = len(self.portion.events) - 1
        elif is_definition(statement) or SETVAL.fullmatch(sql) or STATISTICS.match(sql):
            self.calls = self.calls or bool(CALLING.match(sql))
            if not KEEPS_COLUMNS.search(sql):
                self.crew.catalog.forget()
            self.add(statement, "" if self.kind == "TABLE DATA" else self.phase)
        else:
            self.end()
            self.crew.alone(statement, self.settings)

    def set(self, name: bytes, statement: Statement) -> None:
        """Take in a SET, alone where no portion has been begun: it may be one the server lacks.

        Alone, too, where it changes how the server reads what follows: that may be sent with it.
        """
        after = {**self.settings, name: statement.sql}
        if name in READING:
            self.end()
        if self.portion.events:
            self.add(statement, self.phase)
            self.portion.after = after
        else:
            self.crew.alone(statement, self.settings)
        self.settings = after

    def filling(self, event: Statement | Inserts) -> None:
        """Take in what brings rows to a table: beside others where they hang on nothing else."""
        name = filled_table(event.head if isinstance(event, Inserts) else event.sql)
        table = self.table(name) if self.kind == "TABLE DATA" else None
        is_given = (
            table is not None
            and not self.calls
            and are_given(event, table, escapes=self.crew.escapes)
        )
        phase = self.phase if is_given and table and table.is_parallel_safe else ""
        if isinstance(event, Inserts) and event.is_rest and not phase:
            self.portion.phase = ""
        self.add(event, phase)
        self.portion.takes_values |= not is_given
        self.portion.tables.add(name)

    def table(self, name: bytes) -> Table | None:
        """What the catalog says of a table, once it is made."""
        if self.crew.catalog.known is None:
            self.end()
            self.crew.settle_all()
        return self.crew.catalog.table(name)

    def add(self, event: Statement | Inserts, phase: str) -> None:
        """Add a statement, INSERTs, or the rest of one, to the portion or to a new one."""
        is_rest = isinstance(event, Inserts) and event.is_rest
        # What belongs to a table may still follow it.
        is_over = self.is_full(2 if phase == "tables" else 1) or phase != self.portion.phase
        if is_over and not is_rest:
            self.end()
        if not self.portion.events:
            self.portion = Portion(self.settings, self.settings, phase)
        self.portion.add(event)

    def is_full(self, times: int) -> bool:
        """Whether the portion is so many times as long as one is to be, or as large."""
        locking = self.portion.statements - self.portion.inserts
        return locking >= times * self.crew.most or self.portion.size >= LARGEST * self.crew.share

    @property
    def phase(self) -> str:
        """Phase that the entry is of, where its statements may run beside others of it."""
        if not self.crew.is_parallel:
            return ""
        return self.portion.phase if self.kind == "COMMENT" else SIDE_BY_SIDE.get(self.kind, "")

    def rows(self, event: CopyData | CopyEnd) -> None:
        """Take in rows of a COPY; of too many the first go to the server before the last come."""
        portion = self.portion
        portion.events.append(event)
        if isinstance(event, CopyEnd):
            self.copy = None
            return
        portion.size += len(event.data)
        if portion.size >= 2 * LARGEST and self.copy is not None:
            begun, portion.events = portion.events[self.copy :], portion.events[: self.copy]
            portion.statements -= 1
            self.end()
            for each in begun:
                self.crew.alone(each, self.settings)

    def end(self) -> None:
        """Hand over what was gathered."""
        self.copy = None
        if self.portion.events:
            self.crew.run(self.portion)
        self.portion = Portion(self.settings, self.settings)

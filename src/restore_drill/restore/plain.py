"""Restores a plain dump over libpq, as psql would, but without psql: no shell, no meta-commands.

The bytes go to the server as they are, so the dump's own client_encoding holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import takewhile

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.plaindump.events import CopyData, CopyEnd, Event, Inserts, Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.lines import Readable
from restore_drill.backups.plaindump.singly import Singly
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_errors import error_in, error_of
from restore_drill.restore.copied import copied_row, key_columns
from restore_drill.restore.dialect import Dialect
from restore_drill.restore.errors import add_error
from restore_drill.restore.model import Restoration
from restore_drill.restore.no_superuser import settled
from restore_drill.restore.readers import BY_READING, reads_later
from restore_drill.restore.same_reading import SameReading
from restore_drill.restore.scope import Scope
from restore_drill.restore.source import begin, followed, open_sql
from restore_drill.restore.wire import Wire
from restore_drill.restore.words import opening_words, schema_text
from restore_drill.servers.model import NAME, Target

MAX_ERRORS = 1000
LONGEST = 2000
"""Bytes of a statement that are kept to judge its error by."""


class SqlFeed(Dialect):
    """Feeds the events of one plain dump to one connection, INSERTs `in_runs` or singly."""

    in_runs = False

    def __init__(
        self, target: Target, restoration: Restoration, stop: threading.Event | None = None
    ) -> None:
        """Connect to `target` and note in `restoration` what happens; `stop` ends every wait."""
        secret = {"password": target.password} if target.password else {}
        options = {**target.conninfo, **secret, "application_name": NAME}
        # Where we and the server disagree on what ends a statement, nothing slips through unread;
        # behind walls that costs more (5 % of a dump of INSERTs) than it is worth.
        self.is_alone = not target.isolated
        self.copying: Statement | None = None
        self.current: Statement | None = None
        try:
            self.wire = Wire(make_conninfo("", **options), self.doing, stop)
        except psycopg.OperationalError as error:
            raise CouldNotRun(
                f"no connection to {target.description}", checked=[str(error).strip()]
            ) from None
        self.connection = self.wire.pgconn
        self.connection.notice_handler = self.notice
        self.restoration = restoration
        self.singly = Singly()

    def close(self) -> None:
        """Close the connection."""
        self.wire.close()

    def doing(self) -> str:
        """What it is at: the line and the opening words of a statement, never data."""
        if self.current is None:
            return "preparing the restore"
        opening = opening_words(self.text(self.current.sql[:LONGEST]))
        return f"{self.place(self.current.line)}: {opening}"

    def notice(self, result: PGresult) -> None:
        """Keep the server's warnings; notices say nothing."""
        severity = result.error_field(DiagnosticField.SEVERITY_NONLOCALIZED)
        if severity == b"WARNING":
            sql = self.current.sql if self.current else b""
            warning = error_of(result, self.text).text(schema_text(self.text(sql[:LONGEST])))
            line = self.current.line if self.current else 0
            self.restoration.harmless.append(f"{self.place(line)}: warning: {warning}")

    def feed(self, event: Event) -> None:
        """Carry out one event; CouldNotRun where the connection is lost."""
        try:
            if isinstance(event, CopyData):
                if self.copying:
                    self.wire.put_copy_data(event.data)
            elif isinstance(event, CopyEnd):
                self.end_copy()
            elif isinstance(event, Statement):
                self.execute(event)
            elif isinstance(event, Inserts):
                self.inserts(event)
        except psycopg.Error as error:
            self.lost(error)

    def inserts(self, event: Inserts) -> None:
        """Run INSERTs."""
        for statement in self.single(event):
            self.execute(statement)

    def single(self, event: Inserts) -> Iterator[Statement]:
        """INSERTs one by one, up to MAX_ERRORS errors."""
        found = self.singly.statements(event, self.encoding, backslash_strings=self.escapes)
        return takewhile(lambda _: len(self.restoration.errors) < MAX_ERRORS, found)

    def execute(self, statement: Statement) -> None:
        """Run one statement; a COPY waits for its data."""
        self.current = statement
        self.restoration.statements += 1
        result = self.wire.exec_(statement.sql, rows=False, alone=self.is_alone)
        if result.status == ExecStatus.COPY_IN:
            self.copying = statement
        elif result.status == ExecStatus.COPY_OUT:
            self.wire.drain()  # no dump does that
        else:
            self.check(statement, result)

    def end_copy(self) -> None:
        """End the COPY and see what the server made of it."""
        if self.copying is None:
            return
        statement, self.copying = self.copying, None
        for result in self.wire.end_copy():
            self.check(statement, result)

    def lost(self, error: psycopg.Error) -> None:
        """File the message of libpq when it could not go on."""
        statement = self.current or Statement(0, b"")
        add_error(
            self.restoration,
            where=self.place(statement.line),
            statement=self.text(statement.sql[:LONGEST]),
            error=error_in(error),
        )

    def place(self, line: int) -> str:
        """`line 1,234`, and of what."""
        return f"line {line:,}{self.restoration.of}"

    def check(self, statement: Statement, result: PGresult) -> None:
        """File the error of `result`, if there is one."""
        if result.status not in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
            return
        error = error_of(result, self.text)
        how = settled(error, statement.sql, self.restoration.target, self.wire.exec_)
        if how:
            self.restoration.harmless.append(f"{self.doing()}: {how}")
            return
        sql = self.text(statement.sql[:LONGEST])
        row, column = copied_row(error.context, sql)
        detail = self.text(result.error_field(DiagnosticField.MESSAGE_DETAIL))
        add_error(
            self.restoration,
            where=self.place(statement.line + row),
            statement=sql,
            error=error,
            code=self.code() if error.internal else "",
            detail=f"column {column}" if column else key_columns(detail, sql),
            reader=reads_later(sql, self.rows) if error.group in BY_READING else "",
        )


def restore_plain(
    target: Target, backup: Backup, contents: Contents, progress: Callable[[str], None]
) -> Restoration:
    """Restore the SQL of `backup` into the empty database of `target`."""
    restoration = begin(target, backup, "statement by statement, over one connection")
    started = time.monotonic()

    feed = SqlFeed(target, restoration)
    try:
        with open_sql(target, backup, contents) as stream:
            feed_all(feed, followed(stream, contents, progress), contents)
    finally:
        feed.close()
    restoration.seconds = time.monotonic() - started
    return restoration


def feed_all(feed: SqlFeed, stream: Readable, contents: Contents) -> None:
    """Feed all of the dump that concerns the database, up to MAX_ERRORS errors."""
    reader = PlainReader(stream, in_runs=feed.in_runs)
    reading = SameReading(reader, feed)
    for event in Scope(contents, feed.restoration).events(reader.events()):
        feed.feed(event)
        reading.check()
        if len(feed.restoration.errors) >= MAX_ERRORS:
            return

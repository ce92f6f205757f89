"""One of the connections of a split restore: it takes on settings, loads tables, runs entries."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from restore_drill.backups.plaindump.events import Statement
from restore_drill.restore.blocks import Block
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import SqlFeed
from restore_drill.restore.wire import GivenUp
from restore_drill.servers.model import Target
from restore_drill.servers.tuning import SORT_MB

ALONE = b"SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '%dMB'" % SORT_MB
SHARED = b"RESET max_parallel_maintenance_workers; RESET maintenance_work_mem"
"""How an index is built: by one process, or with helpers where others have nothing to do."""


class Rows(Protocol):
    """What a COPY gets its rows from: piece by piece, and whether they were cut off at the end."""

    is_cut: bool

    def pieces(self, stop: threading.Event) -> Iterator[bytes]:
        """The bytes, until there are no more or `stop` is set."""


class Session(SqlFeed):
    """A connection that carries out entries of the dump away from their place in it."""

    def __init__(self, target: Target, restoration: Restoration, stop: threading.Event) -> None:
        """Connect to `target`; `stop` makes long work end early."""
        super().__init__(target, restoration, stop)
        self.stop = stop
        self.settings: dict[bytes, bytes] = {}
        self.loaded = 0
        self.helpers = True
        self.is_silent = self.has_warned = False

    def notice(self, result: PGresult) -> None:
        """Keep the server's warnings, or only note that there was one."""
        if not self.is_silent:
            super().notice(result)
        elif result.error_field(DiagnosticField.SEVERITY_NONLOCALIZED) == b"WARNING":
            self.has_warned = True

    def apply(self, settings: Mapping[bytes, bytes]) -> None:
        """Make the session's settings those of a place in the dump, as SET statements by name."""
        for name in self.settings.keys() - settings.keys():
            self.wire.exec_(b"RESET " + name)
        for name, sql in settings.items():
            if self.settings.get(name) != sql:
                self.wire.exec_(sql)
        self.settings = dict(settings)

    def use_helpers(self, *, allowed: bool) -> None:
        """Whether an index may be built with parallel workers beside the other connections."""
        if allowed != self.helpers:
            self.wire.exec_(SHARED if allowed else ALONE)
            self.helpers = allowed

    def execute(self, statement: Statement) -> None:
        """Run one statement; CouldNotRun where the connection is lost."""
        try:
            super().execute(statement)
        except psycopg.Error as error:
            self.lost(error)

    def succeeds(self, sql: bytes) -> bool:
        """Run a statement of our own: whether it went well."""
        status = self.wire.exec_(sql).status
        return status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)

    @contextmanager
    def silently(self) -> Iterator[None]:
        """Only note, in `has_warned`, that there was a warning: what it is about may run again."""
        self.is_silent, self.has_warned = True, False
        try:
            yield
        finally:
            self.is_silent = False

    def succeeds_silently(self, sql: bytes) -> bool:
        """Run statements in one transaction: whether there was no error or warning.

        Nothing is left of them if there was.
        """
        with self.silently():
            try:
                status = self.wire.exec_(b"BEGIN;" + sql, rows=False).status
                if status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK) and not self.has_warned:
                    return self.wire.exec_(b"COMMIT").command_status == b"COMMIT"
                self.wire.exec_(b"ROLLBACK")
            except psycopg.Error as error:
                self.lost(error)
        return False

    def succeeds_for(self, statement: Statement, sql: bytes) -> bool:
        """As `succeeds`, with an error filed as one of `statement`, for which `sql` stands."""
        self.current = statement
        result = self.wire.exec_(sql)
        self.check(statement, result)
        return result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)

    def load(self, copy: Statement, block: Block, *, fresh: bytes = b"") -> None:
        """Carry out the COPY statement `copy` with the rows of `block`.

        `fresh` names a plain table that nothing has been loaded into: it is truncated in the
        same transaction, so that no WAL is written and its rows are frozen at once.
        """
        self.current = copy
        try:
            if fresh and self.empties(fresh) and self.load_frozen(copy, block):
                return
            self.report(copy, self.copy(copy.sql, block))
        except psycopg.Error as error:
            self.lost(error)

    def empties(self, table: bytes) -> bool:
        """Begin a transaction that truncates `table`; False, and none begun, where it has rows."""
        look = b"BEGIN; LOCK TABLE ONLY " + table + b"; SELECT FROM ONLY " + table + b" LIMIT 1"
        result = self.wire.exec_(look)
        is_empty = result.status == ExecStatus.TUPLES_OK and result.ntuples == 0
        if is_empty and self.succeeds(b"TRUNCATE ONLY " + table):
            return True
        self.wire.exec_(b"ROLLBACK")
        return False

    def load_frozen(self, copy: Statement, block: Block) -> bool:
        """Load with FREEZE and end the transaction; False where only FREEZE spoke against it."""
        failed = self.copy(copy.sql.rstrip(b"; \r\n") + b" WITH (FREEZE);", block)
        done = self.wire.exec_(b"ROLLBACK" if failed else b"COMMIT")
        failed = failed or (None if done.status == ExecStatus.COMMAND_OK else done)
        if failed and b"FREEZE" in (failed.error_message or b""):
            return False
        self.report(copy, failed)
        return True

    def report(self, statement: Statement, failed: PGresult | None) -> None:
        """File the error that `statement` ended with, if any."""
        if failed:
            self.check(statement, failed)

    def load_part(self, copy: Statement, rows: Rows, settings: Mapping[bytes, bytes]) -> bool:
        """Carry out the COPY statement `copy` with `rows`: whether it went well."""
        self.current = copy
        try:
            self.apply(settings)
            return self.copy(copy.sql, rows) is None and not rows.is_cut
        except psycopg.Error:
            return False

    def copy(self, sql: bytes, block: Rows) -> PGresult | None:
        """Run the COPY `sql` with the rows of `block`; the result with its error, if any."""
        result = self.wire.exec_(sql)
        if result.status != ExecStatus.COPY_IN:
            return result
        for piece in block.pieces(self.stop):
            self.wire.put_copy_data(piece)
            self.loaded += len(piece)
        if self.stop.is_set():
            raise GivenUp
        failed = None
        for ended in self.wire.end_copy(b"the dump was cut here" if block.is_cut else None):
            if ended.status == ExecStatus.FATAL_ERROR and not block.is_cut:
                failed = ended
        return failed

"""A pool of read-only connections, and how their questions are asked and answered."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.names import apart
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import NO_ERROR, ServerError, error_in, error_text
from restore_drill.facts.session import fix_settings
from restore_drill.servers.model import Target

Connection = psycopg.Connection[tuple[Any, ...]]
Row = tuple[Any, ...]

HEAP_ONLY = (
    "SET LOCAL enable_indexscan = off",
    "SET LOCAL enable_indexonlyscan = off",
    "SET LOCAL enable_bitmapscan = off",
)
"""Commands after which rows are read from the table itself: an index may be the damage."""

PATIENCE = 20.0
"""Seconds for what may take for ever: comparing pairs of rows, planning a view with functions."""

ONE = "/*one*/"
"""Where a query can be narrowed to one row of the catalog."""


@dataclass(frozen=True)
class Outcome:
    """Row that a query gave, or the server's error: as told, its SQLSTATE, and all of it."""

    row: tuple[Any, ...] | None
    error: str = ""
    sqlstate: str = ""
    fault: ServerError = NO_ERROR


def patiently() -> str:
    """Command behind which a question goes unanswered after PATIENCE."""
    return f"SET LOCAL statement_timeout = {PATIENCE * 1000:.0f}"


def answer(connection: Connection, query: str, before: Sequence[str] = ()) -> Outcome:
    """First row of `query` in one transaction behind the commands `before`.

    An error is kept, so that it can never count as equal.
    """
    try:
        with connection.transaction() if before else nullcontext():
            if before:
                connection.execute("; ".join(before).encode())
            return Outcome(connection.execute(query.encode()).fetchone())
    except psycopg.Error as error:
        if connection.broken:
            raise CouldNotRun(
                "the connection was lost while the restored database was read",
                checked=[error_text(error)],
                remedy=remedy_for("facts", "lost"),
            ) from None
        told = error_text(error, query, connection=connection)
        return Outcome(None, told, error.sqlstate or "", error_in(error))


def read_each(
    connection: Connection, query: str, column: str, ids: str
) -> tuple[list[Row], list[tuple[Row, str]]]:
    """Rows of `query`; where the server cannot write one of them, the others and its error.

    `query` holds ONE where it can be narrowed to one oid in `column`, and `ids` gives rows that
    begin with those oids.
    """
    query = apart(query)
    outcome = rows_or_error(connection, query.replace(ONE, "true"))
    if not isinstance(outcome, str):
        return outcome, []
    rows: list[Row] = []
    errors: list[tuple[Row, str]] = []
    for row in connection.execute(apart(ids).encode()).fetchall():
        outcome = rows_or_error(connection, query.replace(ONE, f"{column} = {row[0]}"))
        if isinstance(outcome, str):
            errors.append((row, outcome))
        else:
            rows += outcome
    return rows, errors


def rows_or_error(connection: Connection, query: str) -> list[Row] | str:
    """All rows of `query`, or the server's message."""
    try:
        return connection.execute(query.encode()).fetchall()
    except psycopg.Error as error:
        if connection.broken:
            raise
        return error_text(error, query, connection=connection)


def cancel(connections: Sequence[Connection]) -> None:
    """Cancel what runs on `connections`, in other threads."""
    for connection in connections:
        with suppress(psycopg.Error):
            connection.cancel_safe(timeout=1)


def abandon(connections: Sequence[Connection]) -> None:
    """Let those who wait on `connections`, in other threads, find them lost."""
    for connection in connections:
        with (
            suppress(psycopg.Error, OSError),
            socket.socket(fileno=os.dup(connection.fileno())) as end,
        ):
            end.shutdown(socket.SHUT_RDWR)


def open_session(target: Target) -> Connection:
    """Connection that cannot write and is free of the database's own settings."""
    connection = target.connect_read_only()
    fix_settings(connection, for_transaction=False)
    return connection


class Pool:
    """Runs jobs on `jobs` read-only connections."""

    def __init__(
        self, target: Target, jobs: int, prepare: Callable[[Connection], None] = lambda _: None
    ) -> None:
        """Open the connections, and let `prepare` make each ready."""
        self.jobs = jobs
        self.connections = [open_session(target) for _ in range(jobs)]
        self.free: SimpleQueue[Connection] = SimpleQueue()
        self.helped: dict[Connection, bool] = {}
        for connection in self.connections:
            prepare(connection)
            self.free.put(connection)

    def close(self) -> None:
        """Close the connections."""
        for connection in self.connections:
            connection.close()

    def cancel(self) -> None:
        """Cancel what they run, from another thread."""
        cancel(self.connections)

    def abandon(self) -> None:
        """Let go of the server: whoever waits for it fails at once."""
        abandon(self.connections)

    def run(self, job: Callable[[Connection], None], *, helped: bool) -> None:
        """Run `job` on a connection that no other job uses meanwhile.

        Where `helped`, the server may read for it with parallel workers.
        """
        connection = self.free.get()
        try:
            if self.helped.get(connection) != helped:
                workers = "DEFAULT" if helped else "0"
                connection.execute(f"SET max_parallel_workers_per_gather = {workers}".encode())
                self.helped[connection] = helped
            job(connection)
        finally:
            self.free.put(connection)

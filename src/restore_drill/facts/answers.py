"""How questions to a database are asked, and what comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg

from restore_drill.core.names import apart
from restore_drill.core.server_error import NO_ERROR, ServerError
from restore_drill.core.server_errors import error_in, error_text
from restore_drill.core.units import show_duration
from restore_drill.facts.session import Connection

Row = tuple[Any, ...]

HEAP_ONLY = (
    "SET LOCAL enable_indexscan = off",
    "SET LOCAL enable_indexonlyscan = off",
    "SET LOCAL enable_bitmapscan = off",
)
"""Commands after which rows are read from the table itself: an index may be the damage."""

TIME_LIMIT = 20.0
"""Seconds for what may take for ever: comparing pairs of rows, planning a view with functions."""

TIMED_OUT = "statement timeout"
"""What the server says where it took longer."""

ONE = "/*one*/"
"""Where a query can be narrowed to one row of the catalog."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Row that a query gave, or the server's error: its message, its SQLSTATE, and all of it."""

    row: tuple[Any, ...] | None
    error: str = ""
    sqlstate: str = ""
    fault: ServerError = NO_ERROR


def time_limit() -> str:
    """Command behind which a question goes unanswered after TIME_LIMIT."""
    return f"SET LOCAL statement_timeout = {TIME_LIMIT * 1000:.0f}"


def took_too_long() -> str:
    """`took more than 20 s`."""
    return f"took more than {show_duration(TIME_LIMIT)}"


def answer(connection: Connection, query: str, before: Sequence[str] = ()) -> Outcome:
    """First row of `query` in one transaction behind the commands `before`.

    An error is kept, so that it can never count as equal; that of a lost connection is raised.
    """
    try:
        with connection.transaction() if before else nullcontext():
            if before:
                connection.execute("; ".join(before).encode())
            return Outcome(connection.execute(query.encode()).fetchone())
    except psycopg.Error as error:
        if connection.broken:
            raise
        message = error_text(error, query, connection=connection)
        return Outcome(None, message, error.sqlstate or "", error_in(error))


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

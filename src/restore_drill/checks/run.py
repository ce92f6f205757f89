"""Runs the query of an SQL criterion or fact: read-only, with a time limit, counting rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors

from restore_drill.checks.files import SqlCriterion
from restore_drill.checks.names import CriteriaNames, is_more_than_one
from restore_drill.core.errors import CouldNotRun, message
from restore_drill.core.printable import shown_path
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_count, show_duration
from restore_drill.servers.model import Target

DECLARE = "DECLARE criterion NO SCROLL CURSOR FOR "
MOST = 100
"""So many rows are counted: one is enough to fail, and a million would take time."""
LONGEST = 2**31 - 1
"""Milliseconds that PostgreSQL can wait for a statement: 24 days."""


@dataclass(frozen=True)
class Returned:
    """What a query returned: a number of rows (one more than MOST: there are more) and columns."""

    rows: int = 0
    columns: tuple[str, ...] = ()
    error: str = ""

    @property
    def description(self) -> str:
        """`3 rows returned, expected none; columns: id, amount`."""
        count = f"more than {MOST} rows" if self.rows > MOST else show_count(self.rows, "row")
        return f"{count} returned, expected none; columns: {', '.join(self.columns)}"

    def story_of(self, criterion: SqlCriterion) -> str:
        """Why `criterion` does not hold; empty where it does."""
        if self.error:
            what = f"its query failed: {self.error}"
            remedy = remedy_for("sql_criterion", "no_answer")
            return message(what, checked=[shown_path(criterion.path)], remedy=remedy)
        if not self.rows:
            return ""
        return message(
            self.description,
            checked=[f"{shown_path(criterion.path)} ({criterion.sentence})"],
            remedy=remedy_for("sql_criterion", "rows"),
        )


def limit_statements(connection: psycopg.Connection[Any], timeout: float) -> None:
    """Have the server end each statement of `connection` after `timeout` seconds."""
    milliseconds = str(min(max(1, round(timeout * 1000)), LONGEST))
    connection.execute("SELECT set_config('statement_timeout', %s, false)", [milliseconds])


def took_too_long(timeout: float) -> str:
    """`took longer than 30 s ([sql] timeout in the criteria file)`."""
    return f"took longer than {show_duration(timeout)} ([sql] timeout in the criteria file)"


@contextmanager
def asked(target: Target, query: str, timeout: float) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """The first rows (at most MOST + 1) of `query`, read-only, within `timeout` seconds.

    A cursor takes one query and nothing else; the extended protocol (binary) takes one statement.
    """
    with target.connect(client_encoding="utf8") as connection:
        connection.execute("SET default_transaction_read_only = on")
        connection.execute("SET row_security = off")
        limit_statements(connection, timeout)
        with connection.transaction():
            connection.execute((DECLARE + query).encode(), binary=True)
            yield connection.execute(f"FETCH {MOST + 1} FROM criterion".encode())


def run_query(
    target: Target, criterion: SqlCriterion, timeout: float, names: CriteriaNames | None = None
) -> Returned:
    """Rows that the query of `criterion` returns within `timeout` seconds, or why it gave none.

    Raises `CriteriaError` where `names` show that the query itself is wrong.
    """
    if not criterion.is_query:
        what = f"it begins with {criterion.first_word}, but must be one query (SELECT ...)"
        return Returned(error=what)
    try:
        with asked(target, criterion.query, timeout) as found:
            columns = tuple(column.name for column in found.description or ())
            return Returned(found.rowcount, columns)
    except psycopg.Error as error:
        if names:
            place = f"SQL criterion {shown_path(criterion.path)}"
            names.check_query(error, criterion.query, place, target, len(DECLARE))
        return Returned(error=reason_of(error, timeout, criterion.query))


def reason_of(error: psycopg.Error, timeout: float, query: str) -> str:
    """Why a query failed, in words; CouldNotRun where the server went away."""
    error_line = error_text(error, own=query)
    source = error.diag.source_file
    if isinstance(error, errors.QueryCanceled):
        return f"it {took_too_long(timeout)}"
    if isinstance(error, errors.ReadOnlySqlTransaction) or (
        error.sqlstate == "0A000" and source == "analyze.c"
    ):
        return f"it writes, but runs read-only: {error_line}"
    if is_more_than_one(error):
        return "it holds more than one statement"
    if error.sqlstate is None or isinstance(error, errors.AdminShutdown | errors.CrashShutdown):
        raise CouldNotRun(
            "the connection was lost while an SQL criterion ran",
            checked=[error_line],
            remedy=remedy_for("machine", "server_lost"),
        ) from None
    return error_line

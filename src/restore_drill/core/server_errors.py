"""Errors of a server as psycopg and libpq report them, read into a `ServerError`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField
from psycopg.pq.abc import PGresult

from restore_drill.core.server_error import FIELDS, ServerError


def error_of(result: PGresult, text: Callable[[bytes | None], str]) -> ServerError:
    """Error or warning in `result` of libpq; `text` decodes what the server says."""

    def field(which: DiagnosticField) -> str:
        return text(result.error_field(which))

    return ServerError(
        sqlstate=field(DiagnosticField.SQLSTATE),
        message=field(DiagnosticField.MESSAGE_PRIMARY) or text(result.error_message),
        fields=(
            ("schema", field(DiagnosticField.SCHEMA_NAME)),
            *((name, field(which)) for name, which in FIELDS.items()),
        ),
        source=field(DiagnosticField.SOURCE_FILE),
        context=field(DiagnosticField.CONTEXT),
        internal=field(DiagnosticField.INTERNAL_QUERY),
        is_of_text=bool(field(DiagnosticField.STATEMENT_POSITION)),
    )


def error_in(error: psycopg.Error) -> ServerError:
    """Error that psycopg has raised; libpq's own text is kept, the driver's is not."""
    diag = error.diag
    if not diag.sqlstate:
        is_of_libpq = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        text = str(error).strip() if is_of_libpq else ""
        kind = f"{type(error).__name__} of the database driver"
        return ServerError("", text.splitlines()[0] if text else kind)
    return ServerError(
        sqlstate=diag.sqlstate,
        message=diag.message_primary or "",
        fields=(
            ("schema", diag.schema_name or ""),
            ("table", diag.table_name or ""),
            ("column", diag.column_name or ""),
            ("data type", diag.datatype_name or ""),
            ("constraint", diag.constraint_name or ""),
        ),
        source=diag.source_file or "",
        context=diag.context or "",
        internal=diag.internal_query or "",
        is_of_text=bool(diag.statement_position),
    )


def is_lost(error: psycopg.Error) -> bool:
    """Whether the session itself has ended: somebody, or the server, has ended it."""
    ended = psycopg.errors.AdminShutdown | psycopg.errors.CrashShutdown
    is_of_libpq = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    return is_of_libpq or isinstance(error, ended)


CODE = "SELECT pg_catalog.string_agg(prosrc, ' ') FROM pg_catalog.pg_proc WHERE oid >= 16384"


def code_of(connection: psycopg.Connection[Any]) -> str:
    """Text of all functions of the database: what a message may name; empty where unreadable."""
    try:
        row = connection.execute(CODE).fetchone()
    except psycopg.Error:
        return ""
    return str(row[0] or "") if row else ""


def error_text(
    error: psycopg.Error,
    known: str = "",
    *,
    own: str = "",
    connection: psycopg.Connection[Any] | None = None,
) -> str:
    """Error that psycopg has raised, in one line without row data; `known`, `own` as in `text`.

    The functions of the database of `connection` are known too.
    """
    found = error_in(error)
    code = code_of(connection) if connection and found.internal else ""
    return found.text(f"{known} {code}", own=own)

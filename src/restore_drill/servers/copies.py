"""Throwaway copies of a database, on its own server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.servers.model import Target


def by_files(major: int) -> sql.SQL:
    """How a throwaway server of `major` copies a database, the end of CREATE DATABASE.

    Where nothing is synchronised, copying files takes a third of the time of copying by the log.
    """
    return sql.SQL("STRATEGY file_copy" if major >= 15 else "")


@contextmanager
def copy_of(target: Target) -> Iterator[Target]:
    """Copy of the database of `target` on its server, dropped at the end."""
    source = target.conninfo["dbname"]
    copied = f"restore_drill_{secrets.token_hex(6)}"
    copy = replace(target, conninfo=target.conninfo | {"dbname": copied})
    name = sql.Identifier(copied)
    make = sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(
        name, sql.Identifier(source), by_files(target.major)
    )
    with target.connect(dbname="postgres") as server:
        try:
            server.execute(make)
        except psycopg.Error as error:
            reason = error_text(error, f"{source} {copied}")
            raise CouldNotRun(
                f"no copy of the restored database was made: {reason}",
                checked=["fixture writable_url"],
                remedy=remedy_for("target", "no_copy"),
            ) from None
        try:
            yield copy
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

"""Which database of which server a target names."""

from __future__ import annotations

from typing import NamedTuple

from psycopg import errors

from restore_drill.facts.session import Connection
from restore_drill.servers.model import Target

UNKNOWN = "unknown"
"""Stands for the system identifier where the server keeps it to itself."""


class ServerIdentity(NamedTuple):
    """Which database of which server: `system` is empty where the server keeps it to itself."""

    system: str
    oid: int
    database: str

    def mismatch(self, other: ServerIdentity) -> str:
        """How `other` is another database than this one; empty where it is the same."""
        if self.database != other.database:
            return f"it is of the database {self.database}, not of {other.database}"
        if self.system and other.system and self.system != other.system:
            return (
                f"it is of the server {self.system}, DATABASE_URL names the server {other.system}"
            )
        if self.oid != other.oid:
            return (
                f"that database had the number {self.oid}, the one in DATABASE_URL has {other.oid}"
            )
        return ""

    def may_have_been(self, other: ServerIdentity) -> bool:
        """Whether this is `other`, or a database that had its name on that server before."""
        is_same_server = not self.system or not other.system or self.system == other.system
        return self.database == other.database and is_same_server


def identity_of_server(target: Target) -> ServerIdentity:
    """System identifier, number (oid) and name of the database of `target`."""
    with target.connect() as connection:
        row = connection.execute(
            "SELECT oid::bigint, datname FROM pg_catalog.pg_database"
            " WHERE datname = pg_catalog.current_database()"
        ).fetchone()
        assert row is not None
        return ServerIdentity(system_of(connection), row[0], row[1])


def system_of(connection: Connection) -> str:
    """System identifier of the server of `connection`, empty where it keeps that to itself."""
    try:
        with connection.transaction():  # a refusal does not end the one that may be open
            row = connection.execute(
                "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"
            ).fetchone()
    except (errors.InsufficientPrivilege, errors.UndefinedFunction):
        return ""  # some managed platforms
    return str(row[0]) if row else ""

"""What can be refused before a backup is read: by the server, its roles, its rights, its room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import Identifier

from restore_drill.backups.model import Head
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_bytes, some
from restore_drill.live.beside import with_own_settings
from restore_drill.live.drill_databases import Connection, find
from restore_drill.live.room import free_bytes
from restore_drill.restore.needs import refuse_missing_roles
from restore_drill.restore.preflight import check_available
from restore_drill.servers.model import Target

SERVER = """
    SELECT pg_catalog.pg_is_in_recovery() AS in_recovery,
        pg_catalog.current_setting('transaction_read_only')::bool AS read_only,
        r.rolname AS role, r.rolsuper AS is_superuser, r.rolsuper OR r.rolcreatedb AS may_create,
        pg_catalog.pg_database_size(pg_catalog.current_database()) AS size,
        (SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()) AS tls,
        pg_catalog.current_setting('max_connections')::int
            - pg_catalog.current_setting('superuser_reserved_connections')::int
            - (SELECT count(*) FROM pg_catalog.pg_stat_activity
               WHERE datid IS NOT NULL OR usesysid IS NOT NULL)::int AS connections
    FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""
OWNERS_OUT_OF_REACH = """
    SELECT rolname FROM pg_catalog.pg_roles
    WHERE rolname = ANY(%s) AND NOT pg_catalog.pg_has_role(oid, %s) ORDER BY 1
"""
OWNED = frozenset({
    "TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE", "FUNCTION", "PROCEDURE",
    "AGGREGATE", "TYPE", "DOMAIN",
})  # fmt: skip
"""Kinds of entries behind which pg_dump writes ALTER ... OWNER TO."""
BESIDE_JOBS = 4
"""Sessions of a drill at most beside those that restore and verify."""
LOCAL = ("localhost", "127.0.0.1", "::1")


class Server(NamedTuple):
    """What the server says of itself and of the role that is connected."""

    in_recovery: bool
    read_only: bool
    role: str
    is_superuser: bool
    may_create: bool
    size: int
    tls: bool | None
    connections: int


def survey(live: Target, head: Head, size: int, jobs: int) -> Iterator[str]:
    """Lines on what was found; CouldNotRun for the first reason not to restore beside `live`.

    `head` and `size` (bytes) are those of the backup. Nothing is changed, and no row is read.
    """
    live = with_own_settings(live)
    try:
        with live.connect(connect_timeout="10") as connection:
            (row,) = connection.execute(SERVER).fetchall()
            server = Server(*row)
            refuse_server(live, server, jobs)
            refuse_other_drill(live, connection)
            refuse_owners(live, head, connection)
            check_available(live, [e.name for e in head.entries if e.kind == "EXTENSION"])
            yield room(live, max(size, server.size), connection)
    except psycopg.Error as error:
        raise CouldNotRun(
            f"{live.description} could not be examined", checked=[error_text(error)]
        ) from None
    if server.tls is False and not is_local(live.conninfo.get("host", "")):
        yield "the connection to the server is not encrypted (no TLS)"


def is_local(host: str) -> bool:
    """Whether `host` names this machine, or a socket."""
    return host in ("", *LOCAL) or host.startswith(("/", "@"))


def refuse_server(live: Target, server: Server, jobs: int) -> None:
    """CouldNotRun where the server, or the role, cannot give the drill a database."""
    cause, what, checked = problem_of(server, jobs + BESIDE_JOBS)
    if cause:
        raise CouldNotRun(
            f"{live.description} was not touched: {what}",
            checked=[checked],
            remedy=remedy_for(
                "beside", cause, role=quoted(server.role), name=live.conninfo["dbname"]
            ),
        )


def problem_of(server: Server, sessions: int) -> tuple[str, str, str]:
    """Name of the problem, what it is, and what was checked; empty texts where there is none."""
    if server.in_recovery:
        return "replica", "it is a read-only replica", "pg_is_in_recovery() is true"
    if server.read_only:
        return "read_only", "its sessions are read-only", "transaction_read_only is on"
    if not server.may_create:
        what = f"the role {server.role} may not create a database beside it"
        return "no_createdb", what, f"pg_roles: {server.role} has no CREATEDB, and is no superuser"
    if server.connections < sessions:
        free = max(server.connections, 0)
        what = f"{free} connections are free, and the drill takes up to {sessions}"
        return "few_connections", what, "max_connections and pg_stat_activity"
    return "", "", ""


def quoted(name: str) -> str:
    """`name` as it stands in SQL."""
    return Identifier(name).as_string(None)


def refuse_other_drill(live: Target, connection: Connection) -> None:
    """CouldNotRun where another drill of the same database is at work."""
    found = find(connection, live)
    if found.at_work is None:
        return
    made = [each.name for each in found.beside if each.holder == found.at_work]
    where = f", in the database {made[0]}" if made else ""
    raise CouldNotRun(
        f"another drill is at work on {live.description}",
        checked=[f"pg_locks: the session {found.at_work} holds a drill's lock{where}"],
        remedy=remedy_for("live", "another_drill"),
    )


def refuse_owners(live: Target, head: Head, connection: Connection) -> None:
    """CouldNotRun where the role cannot make the owners of the backup owners here.

    A server that is not ours is given no role, and no membership of one.
    """
    owners = {each.owner for each in head.entries if each.kind in OWNED} - {"", "-"}
    refuse_missing_roles(live, sorted(owners))
    need = "SET" if live.major >= 16 else "MEMBER"
    rows = connection.execute(OWNERS_OUT_OF_REACH, [sorted(owners), need]).fetchall()
    if rows:
        names = [name for (name,) in rows]
        raise CouldNotRun(
            f"{live.description} was not touched: its role may not give objects to "
            + some(names, 10),
            checked=[f"pg_has_role(..., '{need}') for the owners in the backup"],
            remedy=remedy_for("beside", "owners", name=quoted(names[0])),
        )


def room(live: Target, wanted: int, connection: psycopg.Connection[Any]) -> str:
    """A line on the disk; CouldNotRun where it has no room for about `wanted` bytes."""
    free = free_bytes(connection) if is_local(live.conninfo.get("host", "")) else None
    if free is None:
        return f"free disk space: the server cannot be asked; about {show_bytes(wanted)} are needed"
    if free < wanted:
        raise CouldNotRun(
            f"{live.description} was not touched: its disk has no room for a second database",
            checked=[f"{show_bytes(free)} are free, about {show_bytes(wanted)} are needed"],
            remedy=remedy_for("beside", "no_room", name=live.conninfo["dbname"]),
        )
    return f"free disk space: {show_bytes(free)}, about {show_bytes(wanted)} are needed"

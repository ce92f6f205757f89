"""What can be refused before a backup is read: by the server, its roles, its rights, its room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import psycopg

from restore_drill.backups.model import Head
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.names import quoted
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.beside.database import with_own_settings
from restore_drill.live.server.drill_databases import find
from restore_drill.live.server.locks import refuse_few_locks
from restore_drill.live.server.maintenance import maintenance_target
from restore_drill.live.server.room import disk_is_full, is_local, room
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
               WHERE datid IS NOT NULL OR usesysid IS NOT NULL)::int AS connections,
        CASE WHEN login.rolconnlimit >= 0 AND NOT login.rolsuper
            THEN login.rolconnlimit - (SELECT count(*) FROM pg_catalog.pg_stat_activity
                WHERE usesysid = login.oid)::int END AS of_role,
        CASE WHEN d.datconnlimit >= 0 AND NOT login.rolsuper
            THEN d.datconnlimit - (SELECT count(*) FROM pg_catalog.pg_stat_activity
                WHERE datid = d.oid)::int END AS of_database,
        login.rolname AS login
    FROM pg_catalog.pg_roles r, pg_catalog.pg_roles login, pg_catalog.pg_database d
    WHERE r.rolname = current_user AND login.rolname = session_user
        AND d.datname = pg_catalog.current_database()
"""
"""`of_role` and `of_database`: connections that their limits leave, which no superuser has."""
BESIDE_JOBS = 4
"""Sessions of a drill at most beside those that restore and verify."""
IN_LIVE = 1
"""Further sessions that a drill has in the live database itself, where it asks for extensions."""


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
    of_role: int | None
    of_database: int | None
    login: str


def survey(
    live: Target, head: Head, size: int, jobs: int, *, promotes: bool = False
) -> Iterator[str]:
    """Lines on what was found; CouldNotRun for the first reason not to restore beside `live`.

    `head` and `size` (bytes) are those of the backup; a drill that `promotes` compares the two
    databases. Nothing is changed, and no row is read.
    """
    live = with_own_settings(live)
    through = maintenance_target(live) if live.is_absent else live
    try:
        with through.connect(connect_timeout="10") as connection:
            (row,) = connection.execute(SERVER).fetchall()
            server = Server(*row)
            refuse_server(live, server, jobs)
            refuse_other_drill(live, connection)
            check_available(through, [e.name for e in head.entries if e.kind == "EXTENSION"])
            refuse_few_locks(live, connection, head.entries, reads_live=promotes)
            yield room(live, max(size, server.size), connection)
    except psycopg.errors.DiskFull as error:
        raise disk_is_full(live, error) from None
    except psycopg.Error as error:
        raise CouldNotRun(
            f"{live.description} could not be examined", checked=[error_text(error)]
        ) from None
    if server.tls is False and not is_local(live.conninfo.get("host", "")):
        yield "the connection to the server is not encrypted (no TLS)"


def refuse_server(live: Target, server: Server, jobs: int) -> None:
    """CouldNotRun where the server, or the role, cannot give the drill a database."""
    cause, what, checked = problem_of(server, jobs + BESIDE_JOBS)
    if cause:
        raise CouldNotRun(
            f"{live.description} was not touched: {what}",
            checked=[checked],
            remedy=remedy_for(
                "beside",
                cause,
                role=quoted(server.role),
                login=quoted(server.login),
                name=live.conninfo["dbname"],
                database=quoted(live.conninfo["dbname"]),
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
        return (
            "no_createdb",
            what,
            (f"pg_roles: {server.role} has no CREATEDB, and is not a superuser"),
        )
    if server.connections < sessions:
        free = max(server.connections, 0)
        what = f"{free} connections are free, and the drill takes up to {sessions}"
        return "few_connections", what, "max_connections and pg_stat_activity"
    return problem_of_limits(server, sessions)


def problem_of_limits(server: Server, sessions: int) -> tuple[str, str, str]:
    """As `problem_of`: connection limits that leave too few, of the role or the database."""
    if server.of_role is not None and server.of_role < sessions:
        free = max(server.of_role, 0)
        what = (
            f"the connection limit of the role {server.login} leaves {free}, "
            f"and the drill takes up to {sessions}"
        )
        return "role_limit", what, "pg_roles.rolconnlimit and pg_stat_activity"
    if server.of_database is not None and server.of_database < IN_LIVE:
        what = "its connection limit leaves none for the drill"
        return "database_limit", what, "pg_database.datconnlimit and pg_stat_activity"
    return "", "", ""


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

"""Keeps other sessions from writing into a live database: new ones are read-only, and are ended.

A plain owner may set that for the database, and it holds for all roles. With it comes a mark in
the database itself (`mark.py`), for another machine, which lacks the journal. Our own sessions ask
for the contrary by their connection's options.
"""

from __future__ import annotations

from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some
from restore_drill.facts.session import Connection
from restore_drill.live.in_place.mark import SETTING, Mark, Settings, changes, mark_in
from restore_drill.servers.database import SETTINGS, with_settings
from restore_drill.servers.model import Target

OFF = ("off", "false", "no", "0")
"""Values that say that it is not set."""
FORMER = """
    SELECT (SELECT substr(each, length(%s) + 2) FROM pg_catalog.pg_db_role_setting s,
            unnest(s.setconfig) each
            WHERE s.setdatabase = d.oid AND s.setrole = 0 AND starts_with(each, %s || '=')),
        d.datconnlimit, pg_catalog.shobj_description(d.oid, 'pg_database'),
        (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user)
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""
EXEMPT = """
    SELECT DISTINCT r.rolname FROM pg_catalog.pg_db_role_setting s
    JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
    JOIN pg_catalog.pg_database d ON s.setdatabase IN (0, d.oid)
    CROSS JOIN unnest(s.setconfig) each
    WHERE d.datname = pg_catalog.current_database()
        AND split_part(each, '=', 1) IN ('default_transaction_read_only', 'transaction_read_only')
    ORDER BY 1
"""
"""Roles whose own setting would win over that of the database."""


def for_reset(target: Target) -> Target:
    """`target` whose sessions, those of client tools too, may write into a database that is shut.

    Behind a pooler that takes no such options they cannot be had: they are refused then.
    """
    return with_settings(target, SETTINGS)


def settings_of(connection: Connection) -> tuple[Settings, bool]:
    """What is set for the database of `connection`, and whether its user is a superuser."""
    (row,) = connection.execute(FORMER.encode(), [SETTING, SETTING]).fetchall()
    return Settings(*row[:3]), row[3]


def is_shut(connection: Connection) -> bool:
    """Whether a drill may have shut the database of `connection`."""
    now = settings_of(connection)[0]
    return mark_in(now.comment) is not None or (now.read_only or "off").lower() not in OFF


def refuse_if_shut(target: Target, connection: Connection) -> None:
    """CouldNotRun where the database is read-only by itself, or a role of it cannot be kept out."""
    name = target.conninfo["dbname"]
    now = settings_of(connection)[0]
    if (now.read_only or "off").lower() not in OFF:
        raise CouldNotRun(
            f"{target.description} was not touched: it has been made read-only by its own setting",
            checked=[
                f"pg_db_role_setting: {SETTING} is on for {name}",
                f"pg_database: its connection limit is {now.connection_limit}",
            ],
            remedy=remedy_for("in_place", "shut", name=sql.Identifier(name).as_string(None)),
        )
    roles = [role for (role,) in connection.execute(EXEMPT.encode()).fetchall()]
    if roles:
        raise CouldNotRun(
            f"{target.description} was not touched: roles could not be prevented from "
            "writing into it",
            checked=[f"pg_db_role_setting: {SETTING} is set for {some(roles, 10)}"],
            remedy=remedy_for("in_place", "exempt", role=sql.Identifier(roles[0]).as_string(None)),
        )


def shut(connection: Connection, mark: Mark) -> bool:
    """Make all later sessions in the database of `connection` read-only, and mark it.

    To a superuser's drill the server lets nobody come but superusers. Whether it lets others in.
    """
    now, is_superuser = settings_of(connection)
    limit = 0 if is_superuser else now.connection_limit
    give(connection, Settings("on", limit, mark.text))
    return not is_superuser


def give(connection: Connection, wanted: Settings) -> None:
    """Give the database of `connection` the settings that are `wanted`, in one transaction."""
    of_writes, limit, comment = changes(connection.info.dbname, wanted)
    with connection.transaction():
        connection.execute(of_writes)
        now = settings_of(connection)[0]
        if now.connection_limit != wanted.connection_limit:
            connection.execute(limit)
        if now.comment != wanted.comment:
            connection.execute(comment)

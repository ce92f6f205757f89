"""Whether a reset in place has the connections that it takes, once those of others are ended."""

from __future__ import annotations

from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.session import Connection
from restore_drill.servers.model import NAME, Target

HERE, ELSEWHERE = 5, 2
"""Sessions beside one a job: in the database (its hold, the exported snapshot, pg_dump or the
threads of a restore, what looks in between), and those of the lock and the watch. Seen so with
one, two and four jobs."""
LIMITS = """
    SELECT login.rolname, login.rolsuper, d.datconnlimit, login.rolconnlimit,
        (SELECT count(*) FROM others WHERE usesysid = login.oid),
        pg_catalog.current_setting('max_connections')::int
            - CASE WHEN login.rolsuper THEN 0
                ELSE pg_catalog.current_setting('superuser_reserved_connections')::int END
            - (SELECT count(*) FROM others)
    FROM pg_catalog.pg_roles login, pg_catalog.pg_database d
    WHERE login.rolname = session_user AND d.datname = pg_catalog.current_database()
"""
OTHERS = """
    WITH others AS (
        SELECT usesysid FROM pg_catalog.pg_stat_activity
        WHERE (datid IS NOT NULL OR usesysid IS NOT NULL) AND application_name <> %s
            AND datname IS DISTINCT FROM pg_catalog.current_database()
    )
"""
"""Those in the database itself are ended before they would be in the way."""


def refuse_few_connections(
    target: Target, connection: Connection, jobs: int, *, locks_inside: bool
) -> None:
    """CouldNotRun where a limit leaves fewer connections than a drill with so many `jobs` takes.

    With `locks_inside` the lock is held in the database itself. The limits of database and role
    are none for a superuser.
    """
    (row,) = connection.execute(OTHERS + LIMITS, [NAME]).fetchall()
    role, is_superuser, of_database, of_role, by_role, free = row
    inside = jobs + HERE + (ELSEWHERE if locks_inside else 0)
    total = jobs + HERE + ELSEWHERE
    name = target.conninfo["dbname"]
    if not is_superuser and 0 <= of_database < inside:
        what, checked, needed = f"its connection limit is {of_database}", "datconnlimit", inside
        cause = "database_limit"
    elif not is_superuser and 0 <= of_role < total + by_role:
        what = f"the connection limit of the role {role} leaves {max(of_role - by_role, 0)}"
        checked, needed, cause = "rolconnlimit", total, "role_limit"
    elif free < total:
        what = f"max_connections leaves {max(free, 0)}"
        checked, needed, cause = "max_connections", total, "few_connections"
    else:
        return
    raise CouldNotRun(
        f"{target.description} was not touched: {what}, and the drill takes up to {needed}",
        checked=[f"{checked}, and pg_stat_activity without this database"],
        remedy=remedy_for(
            "in_place_limits",
            cause,
            database=sql.Identifier(name).as_string(None),
            role=sql.Identifier(role).as_string(None),
            needed=needed,
        ),
    )

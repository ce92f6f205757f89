"""What is checked before anything is restored: whether two databases can be swapped at all."""

from __future__ import annotations

from psycopg.sql import Identifier

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, some
from restore_drill.facts.session import Connection
from restore_drill.live.server.sessions import lines_of, not_endable, sessions_on
from restore_drill.servers.model import Target

RIGHTS = """
    SELECT pg_catalog.pg_is_in_recovery(), r.rolsuper OR r.rolcreatedb,
        pg_catalog.pg_has_role(d.datdba, 'USAGE'), current_user,
        pg_catalog.pg_get_userbyid(d.datdba)
    FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
    WHERE d.oid = %s AND r.rolname = current_user
"""
PREPARED = """
    SELECT p.gid FROM pg_catalog.pg_prepared_xacts p
    JOIN pg_catalog.pg_database d ON d.datname = p.database WHERE d.oid = %s ORDER BY p.prepared
"""
SUBSCRIPTIONS = """
    SELECT subname FROM pg_catalog.pg_subscription WHERE subdbid = %s AND subenabled ORDER BY 1
"""
SLOTS = """
    SELECT s.slot_name FROM pg_catalog.pg_replication_slots s WHERE s.datoid = %s ORDER BY 1
"""


def check_promotable(connection: Connection, server: Target, oid: int, name: str) -> None:
    """CouldNotRun where the live database `oid`, called `name`, cannot be renamed.

    `connection` leads to the database that `server` names.
    """
    row = connection.execute(RIGHTS.encode(), [oid]).fetchone()
    if row is None:
        what = f"there is no database with the number {oid} any more"
        raise refusal(name, what, [], remedy_for("promote_refused", "gone"))
    in_recovery, may_rename, owns, user, owner = row
    role, of = (Identifier(each).as_string(None) for each in (user, owner))
    if in_recovery:
        what = "its server is a read-only replica"
        raise refusal(name, what, [], remedy_for("promote_refused", "replica"))
    if server.conninfo["dbname"] == name:
        what = (
            "no other database of its server lets this role in, and nobody can rename "
            "the database they are connected to"
        )
        remedy = remedy_for("promote_refused", "no_other_database", user=role, name=name)
        raise refusal(name, what, [], remedy)
    if not may_rename or not owns:
        lacks = [] if may_rename else [f"role {user} has no CREATEDB"]
        lacks += [] if owns else [f"role {user} does not have the rights of its owner, {owner}"]
        remedy = remedy_for("promote_refused", "rights", user=role, owner=of)
        raise refusal(name, "the role in DATABASE_URL may not rename it", lacks, remedy)
    check_use(connection, oid, name)


def check_free(connection: Connection, name: str) -> None:
    """CouldNotRun where there is a database `name` after all, which was to be created."""
    if column(connection, "SELECT oid FROM pg_catalog.pg_database WHERE datname = %s", name):
        what = "somebody has created it since the drill began"
        raise refusal(name, what, [], remedy_for("anew", "made_meanwhile"))


def check_use(connection: Connection, oid: int, name: str) -> None:
    """CouldNotRun where something at work in the database would keep it from being renamed."""
    if gids := column(connection, PREPARED, oid):
        found = [f"pg_prepared_xacts: {some(gids, 10)}"]
        remedy = remedy_for("promote_refused", "prepared", gid=gids[0])
        raise refusal(name, "it has prepared transactions", found, remedy)
    if names := column(connection, SUBSCRIPTIONS, oid):
        found = [f"pg_subscription: {some(names, 10)}"]
        feed = Identifier(names[0]).as_string(None)
        remedy = remedy_for("promote_refused", "subscribed", feed=feed, database=name)
        raise refusal(name, "its subscriptions are enabled", found, remedy)
    if kept := not_endable(sessions_on(connection, oid)):
        one = "session that this role may not end"
        count = show_count(len(kept), one, one.replace("session", "sessions"))
        remedy = remedy_for("promote_refused", "not_endable")
        raise refusal(name, f"it has {count}", lines_of(kept), remedy)


def notes_on_users(connection: Connection, oid: int, name: str) -> list[str]:
    """What a promotion means for those who are connected, a line each."""
    sessions = sessions_on(connection, oid)
    count = show_count(len(sessions), "session")
    lines = [f"{count} on {name} will be ended for the swap" + (":" if sessions else "")]
    lines = lines + [f"  {line}" for line in lines_of(sessions)] if sessions else []
    if slots := column(connection, SLOTS, oid):
        lines.append(
            f"replication slots stay with the old database ({some(slots, 10)}): their "
            "readers have to be set up again, and they keep WAL until they are dropped"
        )
    return lines


def column(connection: Connection, query: str, *values: object) -> list[str]:
    """First column of what `query` finds."""
    return [str(value) for (value,) in connection.execute(query.encode(), values).fetchall()]


def refusal(name: str, why: str, checked: list[str], remedy: list[str]) -> CouldNotRun:
    """The error that database `name` cannot be promoted over."""
    return CouldNotRun(f"database {name} was not touched: {why}", checked=checked, remedy=remedy)

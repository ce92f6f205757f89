"""Roles that a drill has made: known by their comment, kept by a promotion, else dropped.

The comment is made in one transaction with the role, and names the drill's database, the role's OID
and the server: copied to another role, or restored on another server, it marks nothing. A promotion
takes it away in the transaction that swaps the databases; until then the role is the drill's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import psycopg
from psycopg import sql

from restore_drill.backups.role_model import Role
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.server.drill_databases import held_locks, is_name_beside, lock_key
from restore_drill.live.server.identity import UNKNOWN, system_of

OPENING = "restore-drill: made for "
MARK = OPENING + "{} as role {} of server {}, and dropped with it unless that is promoted"
FITS = re.compile(re.escape(MARK).replace(r"\{\}", "(.+)"))
MARKED = """
    SELECT rolname, pg_catalog.shobj_description(oid, 'pg_authid'), oid::text
    FROM pg_catalog.pg_roles
    WHERE pg_catalog.shobj_description(oid, 'pg_authid') LIKE %s ORDER BY 1
"""
OID = "SELECT oid::text FROM pg_catalog.pg_roles WHERE rolname = %s"


def mark_role(connection: Connection, name: str, database: str) -> None:
    """Mark the new role `name` as made for the drill's `database`, in the open transaction."""
    (oid,) = connection.execute(OID, [name]).fetchone() or ("",)
    comment_on(connection, name, MARK.format(database, oid, system_of(connection) or UNKNOWN))


def comment_on(connection: Connection, name: str, comment: str | None) -> None:
    """Give the role `name` a comment, or none."""
    statement = sql.SQL("COMMENT ON ROLE {} IS {}")
    connection.execute(statement.format(sql.Identifier(name), sql.Literal(comment)))


def marked_roles(connection: Connection) -> dict[str, str]:
    """Roles that drills have made, each with the name of its drill's database."""
    rows = connection.execute(MARKED, [f"{OPENING}%"]).fetchall()
    system = (system_of(connection) or UNKNOWN) if rows else ""
    found = {}
    for name, comment, oid in rows:
        fits = FITS.fullmatch(comment)
        if fits and fits.group(2, 3) == (oid, system):
            found[name] = fits[1]
    return found


def keep_roles(connection: Connection, roles: Iterable[Role], database: str) -> None:
    """Take the mark of the drill's `database` from `roles`, in the open transaction.

    Each has the comment then that its role file gives it; not one that looks like a mark, as a
    role file has it that was written while a drill was at work.
    """
    ours = {name for name, of in marked_roles(connection).items() if of == database}
    for role in roles:
        if role.name in ours:
            is_mark = (role.comment or "").startswith(OPENING)
            comment_on(connection, role.name, None if is_mark else role.comment)


def drop_marked(connection: Connection, database: str) -> tuple[list[str], list[str]]:
    """Drop the roles that were made for the drill's `database`: those names, and what is left.

    The server keeps a role that owns anything, or has rights on it, in whatever database; a line
    says so.
    """
    dropped, kept = [], []
    ours = [name for name, of in marked_roles(connection).items() if of == database]
    for name in ours:
        quoted = sql.Identifier(name)
        try:
            connection.execute(sql.SQL("DROP ROLE {}").format(quoted))
            dropped.append(name)
        except psycopg.errors.UndefinedObject:
            continue  # another run was quicker
        except psycopg.Error as error:
            why = error_text(error, name)
            kept.append(
                f"the role {name}, which a drill created, could not be dropped ({why}): "
                "the next drill will drop it, or drop it yourself: "
                f"DROP ROLE {quoted.as_string(None)}"
            )
    return dropped, kept


def drop_left_roles(connection: Connection, live: str) -> tuple[list[str], list[str]]:
    """Drop the roles that killed drills beside the database `live` have made: as `drop_marked`."""
    dropped: list[str] = []
    kept: list[str] = []
    databases = sorted(set(marked_roles(connection).values()))
    # Read after the marks: a drill has its lock before it makes a role.
    at_work = {each.key for each in held_locks(connection)} if databases else set()
    for database in databases:
        if not is_name_beside(database, live) or lock_key(database) in at_work:
            continue
        gone, left = drop_marked(connection, database)
        dropped += [f"dropped the role {name}, which a killed drill left" for name in gone]
        kept += left
    return dropped, kept


def refuse_marked(marked: dict[str, str], database: str) -> None:
    """CouldNotRun where one of the roles is for another drill's database, and dropped with that."""
    for name, other in marked.items():
        if other != database:
            raise CouldNotRun(
                f"the role {name} was created by another drill, which will drop it",
                checked=[f"its comment: made for the database {other}"],
                remedy=remedy_for("roles", "of_another_drill"),
            )

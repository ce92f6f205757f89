"""Makes planned roles on a live server: one transaction, and nothing that exists is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import LiteralString

import psycopg
from psycopg import sql

from restore_drill.backups.role_model import PRIVILEGED, Membership, Role
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.role_plan import Plan, shown

MAY: LiteralString = """
    SELECT current_user, rolsuper, rolsuper OR rolcreaterole
    FROM pg_catalog.pg_roles WHERE rolname = current_user
"""
CODE_LOADING = ("session_preload_libraries", "local_preload_libraries", "dynamic_library_path")
"""Settings through which a role's sessions load code: not taken from a file."""
WITH_OPTIONS = 16
"""First major with INHERIT and SET as options of a membership."""

Secret = Callable[[Role], str | None]
"""Gives the verifier of a role's password; None for a role that has none."""


def make_roles(
    connection: Connection, plan: Plan, own: Iterable[str], mark: str, secret: Secret
) -> tuple[list[str], list[str]]:
    """Make the roles of `plan`, each with the comment `mark`.

    The role that is connected becomes a member of those of `own`, which it has to give objects to:
    the groups that it is in now, and lines on what the server would not give. CouldNotRun, and
    nothing is made, where the server refuses one of them.
    """
    me, is_superuser = refuse_without_right(connection, plan)
    passwords = {role.name: secret(role) for role in plan.roles}
    major = connection.info.server_version // 10000
    left: list[str] = []
    mine = [] if is_superuser else list(own)
    try:
        with connection.transaction():
            for role in plan.roles:
                create(connection, role, passwords[role.name], mark, left)
            for name in mine:
                ours = Membership(name, me, inherit=True, set_role=True)
                connection.execute(grant(ours, major))
            for each in plan.memberships:
                if each.member == me:
                    continue
                if why := tried(connection, grant(each, major)):
                    left.append(f"{shown(each)} is left out: {why}")
    except psycopg.Error as error:
        names = [role.name for role in plan.roles]
        raise CouldNotRun(
            f"no role was made: the server refuses the roles {', '.join(names)}",
            checked=[error_text(error, " ".join(names))],
            remedy=remedy_for("roles", "refused"),
        ) from None
    return mine, left


def refuse_without_right(connection: Connection, plan: Plan) -> tuple[str, bool]:
    """Name of the role that is connected, and whether it is a superuser.

    CouldNotRun where it may make no roles, or not one of these.
    """
    me, is_superuser, may_make = connection.execute(MAY).fetchone() or ("", False, False)
    if not may_make:
        raise CouldNotRun(
            f"no role was made: the role {me} in DATABASE_URL may make none",
            checked=[f"pg_roles: {me} has no CREATEROLE, and is no superuser"],
            remedy=remedy_for("roles", "no_createrole", role=sql.Identifier(me).as_string(None)),
        )
    too_much = [role for role in plan.roles if role.privileges and not is_superuser]
    if too_much:
        raise CouldNotRun(
            f"no role was made: {me} is no superuser, and the backup needs roles that only one "
            "can make",
            checked=[f"{each.name}: {', '.join(each.privileges)}" for each in too_much],
            remedy=remedy_for("roles", "privileged"),
        )
    return me, is_superuser


def create(
    connection: Connection, role: Role, password: str | None, mark: str, left: list[str]
) -> None:
    """Make one role, mark it, and give it its settings."""
    name = sql.Identifier(role.name)
    parts = list(attributes(role, password))
    connection.execute(sql.SQL("CREATE ROLE {} ").format(name) + sql.SQL(" ").join(parts))
    comment = sql.SQL("COMMENT ON ROLE {} IS {}")
    connection.execute(comment.format(name, sql.Literal(mark)))
    for variable, values in role.settings:
        if variable.lower() in CODE_LOADING:
            left.append(f"role {role.name}: its setting {variable} is left out: it loads code")
            continue
        given = sql.SQL(", ").join(map(sql.Literal, values))
        setting = sql.SQL("ALTER ROLE {} SET {} TO ").format(name, dotted_name(variable))
        if why := tried(connection, setting + given, variable):
            left.append(f"role {role.name}: its setting {variable} is left out: {why}")


def dotted_name(variable: str) -> sql.Composable:
    """Name of a setting, that of an extension among them (`auto_explain.log_analyze`)."""
    return sql.SQL(".").join(map(sql.Identifier, variable.split(".")))


def attributes(role: Role, password: str | None) -> Iterator[sql.Composable]:
    """What stands behind CREATE ROLE; a right that it has not is not mentioned."""
    yield sql.SQL("LOGIN" if role.can_log_in else "NOLOGIN")
    yield sql.SQL("INHERIT" if role.inherits else "NOINHERIT")
    if role.may_create_databases:
        yield sql.SQL("CREATEDB")
    if role.may_create_roles:
        yield sql.SQL("CREATEROLE")
    for field, words in PRIVILEGED.items():
        if getattr(role, field):
            yield sql.SQL(words)
    if role.connection_limit >= 0:
        yield sql.SQL(f"CONNECTION LIMIT {int(role.connection_limit)}")
    if password is not None:
        yield sql.SQL("PASSWORD {}").format(sql.Literal(password))
    if role.valid_until is not None:
        yield sql.SQL("VALID UNTIL {}").format(sql.Literal(role.valid_until))


def grant(membership: Membership, major: int) -> sql.Composed:
    """The statement that makes a membership, with the options that the server knows."""
    options = ["ADMIN OPTION"] if membership.admin else []
    if major >= WITH_OPTIONS:
        given = {
            "ADMIN": membership.admin or None,
            "INHERIT": membership.inherit,
            "SET": membership.set_role,
        }
        options = [f"{name} {value}" for name, value in given.items() if value is not None]
    return sql.SQL("GRANT {} TO {}{}").format(
        sql.Identifier(membership.group),
        sql.Identifier(membership.member),
        sql.SQL(" WITH " + ", ".join(options) if options else ""),
    )


def tried(connection: Connection, statement: sql.Composed, *known: str) -> str:
    """Run a statement that may fail; why it has, else empty."""
    try:
        with connection.transaction():
            connection.execute(statement)
    except psycopg.Error as error:
        return error_text(error, " ".join(known))
    return ""

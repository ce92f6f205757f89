"""Makes planned roles on a live server: one transaction, and nothing that exists is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import LiteralString

import psycopg
from psycopg import sql

from restore_drill.backups.role_model import FAR, PRIVILEGED, Membership, Role
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.roles.marks import mark_role
from restore_drill.live.roles.plan import Plan, shown
from restore_drill.live.roles.settings import harmless_settings

MAY: LiteralString = """
    SELECT current_user, rolsuper, rolsuper OR rolcreaterole
    FROM pg_catalog.pg_roles WHERE rolname = current_user
"""
NOT_LOGGED: LiteralString = """
    SET LOCAL log_statement = none;
    SET LOCAL log_min_error_statement = panic;
    SET LOCAL log_min_duration_statement = -1;
    SET LOCAL log_min_duration_sample = -1;
    SET LOCAL log_transaction_sample_rate = 0;
    SET LOCAL pg_stat_statements.track_utility = off
"""
"""Keeps statements with verifiers out of the server's log: only a superuser may set this."""
WITH_OPTIONS = 16
"""First major with INHERIT and SET as options of a membership."""

Secret = Callable[[Role], str | None]
"""Gives the verifier of a role's password; None for a role that has none."""


def make_roles(
    connection: Connection, plan: Plan, own: Iterable[str], database: str, secret: Secret
) -> tuple[list[str], list[str]]:
    """Make the roles of `plan`, marked as made for the drill's `database`.

    The role that is connected becomes a member of those of `own`, which it has to give objects to:
    the groups that it is in now, and lines on what the server would not give. CouldNotRun, and
    nothing is made, where the server refuses one of them.
    """
    me, is_superuser = refuse_without_right(connection, plan)
    passwords = {role.name: secret(role) for role in plan.roles}
    major = connection.info.server_version // 10000
    left: list[str] = []
    mine = [] if is_superuser else list(dict.fromkeys(own))
    try:
        with connection.transaction():
            for role in plan.roles:
                create(connection, role, database, left)
            for name in mine:
                ours = Membership(name, me, inherit=True, set_role=True)
                connection.execute(grant(ours, major))
            for each in plan.memberships:
                if each.member == me:
                    continue
                if why := tried(connection, grant(each, major)):
                    left.append(f"{shown(each)} is left out: {why}")
            set_passwords(connection, passwords, is_superuser=is_superuser)
    except psycopg.Error as error:
        names = [role.name for role in plan.roles]
        raise refused(error, f"the roles {', '.join(names)}", *names) from None
    return mine, left


def refused(error: psycopg.Error, what: str, *names: str) -> CouldNotRun:
    """The error where the server does not make `what`, of roles with these `names`."""
    return CouldNotRun(
        f"no role was created: the server refuses {what}",
        checked=[error_text(error, " ".join(names))],
        remedy=remedy_for("roles", "refused"),
    )


def set_passwords(
    connection: Connection, passwords: dict[str, str | None], *, is_superuser: bool
) -> None:
    """Give roles their passwords: last, so that no statement with a verifier fails for others.

    The server logs the text of one that fails. It may log all: who may keeps it from that.
    """
    if is_superuser:
        connection.execute(NOT_LOGGED)
    for name, password in passwords.items():
        if password is not None:
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Literal(password)))


def refuse_without_right(connection: Connection, plan: Plan) -> tuple[str, bool]:
    """Name of the role that is connected, and whether it is a superuser.

    CouldNotRun where it may make no roles, or not one of these.
    """
    me, is_superuser, may_make = connection.execute(MAY).fetchone() or ("", False, False)
    if not may_make:
        raise CouldNotRun(
            f"no role was created: the role {me} in DATABASE_URL may not create any",
            checked=[f"pg_roles: {me} has no CREATEROLE, and is not a superuser"],
            remedy=remedy_for("roles", "no_createrole", role=sql.Identifier(me).as_string(None)),
        )
    too_much = [role for role in plan.roles if role.privileges and not is_superuser]
    if too_much:
        raise CouldNotRun(
            f"no role was created: {me} is not a superuser, but the backup needs roles "
            "that only a superuser can create",
            checked=[f"{each.name}: {', '.join(each.privileges)}" for each in too_much],
            remedy=remedy_for("roles", "privileged"),
        )
    return me, is_superuser


def create(connection: Connection, role: Role, database: str, left: list[str]) -> None:
    """Make one role without its password, mark it, and give it its settings.

    CouldNotRun where the server refuses it.
    """
    refuse_wrong_time(connection, role)
    statement = sql.SQL("CREATE ROLE {} ").format(sql.Identifier(role.name))
    try:
        connection.execute(statement + sql.SQL(" ").join(attributes(role)))
        mark_role(connection, role.name, database)
    except psycopg.Error as error:
        raise refused(error, f"the role {role.name}", role.name) from None
    for variable, setting in harmless_settings(role, left).items():
        if why := tried(connection, setting, variable):
            left.append(f"role {role.name}: its setting {variable} is left out: {why}")


def refuse_wrong_time(connection: Connection, role: Role) -> None:
    """CouldNotRun where the server does not read what the role's password is valid until."""
    if role.valid_until is None:
        return
    is_time = sql.SQL("SELECT pg_catalog.isfinite({}::timestamptz)")
    try:
        with connection.transaction():
            connection.execute(is_time.format(sql.Literal(role.valid_until)))
    except psycopg.DataError as error:
        raise CouldNotRun(
            f"no role was created: VALID UNTIL of role {role.name} in the role file is not a time",
            checked=[error_text(error)],
            remedy=remedy_for("roles", "valid_until", role=role.name),
        ) from None


def attributes(role: Role) -> Iterator[sql.Composable]:
    """What stands behind CREATE ROLE but the password; a right that it has not is not mentioned."""
    yield sql.SQL("LOGIN" if role.can_log_in else "NOLOGIN")
    yield sql.SQL("INHERIT" if role.inherits else "NOINHERIT")
    for field, words in (FAR | PRIVILEGED).items():
        if getattr(role, field):
            yield sql.SQL(words)
    if role.connection_limit >= 0:
        yield sql.SQL(f"CONNECTION LIMIT {int(role.connection_limit)}")
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

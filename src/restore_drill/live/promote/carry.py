"""What a database has outside itself, and how another one takes it over: owner, settings, rights.

A dump of one database holds none of it. What lies inside (default privileges, rights on tables)
comes with the dump.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.promote.outside import Outside, differences, read_outside
from restore_drill.live.promote.setting_lists import values_of


def carry(connection: Connection, old: int, new: int) -> None:
    """Give to the database `new` what `old` has outside itself, in the open transaction.

    CouldNotRun where this role may not, or where the two differ in what cannot be changed.
    """
    wanted, found = read_outside(connection, old), read_outside(connection, new)
    row = connection.execute("SELECT datname FROM pg_catalog.pg_database WHERE oid = %s", [new])
    (name,) = row.fetchone() or ("",)
    for role, statement in statements(sql.Identifier(name), wanted, found):
        try:
            if role is not None:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            connection.execute(statement)
            if role is not None:
                connection.execute("RESET ROLE")
        except psycopg.Error as error:
            words = names_in(statement, connection)
            by = f" as role {role}" if role is not None else ""
            known = f"{words} {role} {wanted.owner}"
            raise not_carried([f"{words}{by}: {error_text(error, known)}"]) from None
    if left := differences(wanted, read_outside(connection, new)):
        raise not_carried(left)


def names_in(statement: sql.Composed, connection: Connection) -> str:
    """The statement as far as it holds names alone: a setting's value may be secret."""
    words = statement.as_string(connection).partition(" TO '")[0].partition(" IS '")[0]
    return words.strip()


def not_carried(reasons: list[str]) -> CouldNotRun:
    """Why the new database would not be to the outside what the live one is."""
    return CouldNotRun(
        "the restored database cannot take the place of the live one: what the live one "
        "has outside itself cannot be carried over",
        checked=reasons,
        remedy=remedy_for("promote", "not_carried"),
    )


def check_carry(connection: Connection, old: int, new: int) -> None:
    """CouldNotRun where `carry` would raise it; nothing is changed."""
    try:
        with connection.transaction(force_rollback=True):
            carry(connection, old, new)
    except psycopg.Error as error:
        raise not_carried([error_text(error)]) from None


Step = tuple[str | None, sql.Composed]
"""A statement, and the role that runs it: None for our own."""


def statements(name: sql.Identifier, wanted: Outside, found: Outside) -> Iterator[Step]:
    """What makes of a database `name` that has `found` one that has `wanted`.

    First the owner, whom rights belong to; last what keeps sessions out.
    """
    change = sql.SQL("ALTER DATABASE {} ").format(name)
    if wanted.owner != found.owner:
        yield None, change + sql.SQL("OWNER TO {}").format(sql.Identifier(wanted.owner))
    yield from rights(name, wanted, found)
    yield from settings(name, wanted, found)
    if wanted.comment != found.comment:
        text = sql.Literal(wanted.comment)
        yield None, sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, text)
    for provider in sorted({*wanted.labels, *found.labels}):
        label = sql.Literal(wanted.labels.get(provider))
        yield (
            None,
            sql.SQL("SECURITY LABEL FOR {} ON DATABASE {} IS {}").format(
                sql.Identifier(provider), name, label
            ),
        )
    if wanted.connection_limit != found.connection_limit:
        yield None, change + sql.SQL(f"CONNECTION LIMIT {int(wanted.connection_limit)}")
    if wanted.is_template != found.is_template:
        yield None, change + sql.SQL(f"IS_TEMPLATE {wanted.is_template}")
    if wanted.allows_connections != found.allows_connections:
        yield None, change + sql.SQL(f"ALLOW_CONNECTIONS {wanted.allows_connections}")


def rights(name: sql.Identifier, wanted: Outside, found: Outside) -> Iterator[Step]:
    """Statements that make the rights on the database the same; none where they are defaults."""
    if not wanted.has_own_rights and not found.has_own_rights:
        return
    for grantee in sorted({wanted.owner, *(right[1] or "" for right in found.rights)}):
        revoke = sql.SQL("REVOKE ALL ON DATABASE {} FROM {} CASCADE")
        yield None, revoke.format(name, role_of(grantee or None))
    for grantor, given_to, privilege, is_grantable in wanted.rights:
        grant = sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
            sql.SQL(privilege),
            name,
            role_of(given_to),
            sql.SQL(" WITH GRANT OPTION" if is_grantable else ""),
        )
        yield (grantor if grantor != wanted.owner else None), grant


def role_of(name: str | None) -> sql.Composable:
    """The role `name` in a statement; None is everyone."""
    return sql.SQL("PUBLIC") if name is None else sql.Identifier(name)


def settings(name: sql.Identifier, wanted: Outside, found: Outside) -> Iterator[Step]:
    """Statements that make the settings of the database, and of roles in it, the same."""
    for role in sorted({*wanted.settings, *found.settings}):
        where = sql.SQL("ALTER DATABASE {} ").format(name)
        if role:
            where = sql.SQL("ALTER ROLE {} IN DATABASE {} ").format(sql.Identifier(role), name)
        if role in found.settings:
            yield None, where + sql.SQL("RESET ALL")
        for line in wanted.settings.get(role, ()):
            variable, _, value = line.partition("=")
            given = sql.SQL(", ").join(map(sql.Literal, values_of(variable, value)))
            yield None, where + sql.SQL("SET {} TO {}").format(sql.Identifier(variable), given)

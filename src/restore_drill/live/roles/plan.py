"""Which roles a recovery makes, and who becomes a member of which: planned before any is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from psycopg.sql import Identifier

from restore_drill.backups.role_model import Membership, Role, RoleFile
from restore_drill.core.units import some
from restore_drill.facts.session import Connection

ROLES = """
    SELECT r.rolname, EXISTS (
        SELECT FROM pg_catalog.pg_roles d
        WHERE (d.rolsuper OR d.rolreplication OR d.rolbypassrls OR d.rolcreaterole OR d.rolcreatedb
                OR pg_catalog.starts_with(d.rolname, 'pg_') AND d.rolname <> 'pg_database_owner')
            AND pg_catalog.pg_has_role(r.oid, d.oid, 'MEMBER')
    ), r.rolsuper, r.rolname = current_user
    FROM pg_catalog.pg_roles r
"""
PREDEFINED = "pg_"
"""Begins the names of the server's predefined roles, and of no others. Each reaches beyond one
database: its files, programs, sessions, the rows of all tables. The owner of a database is in one
of them, pg_database_owner, by that alone."""


class ServerRoles(NamedTuple):
    """Roles of a server by name: whether membership in one reaches beyond databases."""

    names: frozenset[str]
    powerful: frozenset[str]
    superusers: frozenset[str]
    me: str = ""

    @property
    def is_superuser(self) -> bool:
        """Whether the role that is connected is one."""
        return self.me in self.superusers


class Plan(NamedTuple):
    """What is to be made; `left` are lines on what the file holds and is not."""

    roles: tuple[Role, ...]
    memberships: tuple[Membership, ...]
    left: tuple[str, ...]


def read_server_roles(connection: Connection) -> ServerRoles:
    """Roles of the server of `connection`."""
    rows = connection.execute(ROLES).fetchall()
    return ServerRoles(
        frozenset(name for name, *_ in rows),
        frozenset(name for name, is_powerful, *_ in rows if is_powerful),
        frozenset(name for name, _, is_superuser, _ in rows if is_superuser),
        next((name for name, *_, is_me in rows if is_me), ""),
    )


def plan_roles(file: RoleFile | None, wanted: Iterable[str], server: ServerRoles) -> Plan:
    """Roles to make so that all `wanted` are there, with those that the file ties to them.

    These are the members of roles that are made, who use them, and the groups of all of them.
    Roles of the server stay as they are.
    """
    known = file.roles if file else {}
    names = dict.fromkeys(name for name in wanted if name not in server.names)
    named = set(names)
    left: dict[str, None] = {}
    if file:
        spread(file, names, server, left, downwards=True)
        spread(file, names, server, left, downwards=False)
    roles = {name: known.get(name) or Role(name, can_log_in=True, is_known=False) for name in names}
    for role in roles.values():
        if role.far_rights and not (role.name in named and server.is_superuser):
            roles[role.name] = without_far_rights(role, left)
    memberships = [] if file is None else list(those_of(file, roles, server, left))
    return Plan(tuple(roles.values()), tuple(memberships), tuple(left))


def without_far_rights(role: Role, left: dict[str, None]) -> Role:
    """`role` without the rights of FAR; a line on them goes to `left`."""
    words = " ".join(role.far_rights)
    statement = f"ALTER ROLE {Identifier(role.name).as_string(None)} {words}"
    left[
        f"role {role.name} is made without {words}, which reaches beyond the database: only one "
        f"that the backup names gets it, from a superuser; if that is wanted: {statement}"
    ] = None
    return replace(role, may_create_databases=False, may_create_roles=False)


def spread(
    file: RoleFile, names: dict[str, None], server: ServerRoles, left: dict[str, None],
    *, downwards: bool,
) -> None:  # fmt: skip
    """Add to `names` the missing members of those in it, or the groups that they are in."""
    reached = list(names)
    while reached:
        name = reached.pop()
        for each in file.memberships:
            here, other = (each.group, each.member) if downwards else (each.member, each.group)
            role = file.roles.get(other)
            if here != name or other in names or other in server.names or role is None:
                continue
            if role.privileges:
                # Nobody who wants the backup's roles has asked for one that rules the server.
                tie = f"a member of {name}" if downwards else f"a group of {name}"
                left[f"role {other} ({', '.join(role.privileges)}), {tie}, is not made"] = None
                continue
            names[other] = None
            reached.append(other)


def those_of(
    file: RoleFile, names: dict[str, Role], server: ServerRoles, left: dict[str, None]
) -> Iterable[Membership]:
    """Memberships of the roles `names`, among themselves and with roles that are there."""
    powerful = server.powerful | {role.name for role in names.values() if role.reaches_far}
    for each in file.memberships:
        if each.group not in names and each.member not in names:
            continue
        if each.member in server.superusers:
            continue  # has all rights without it
        missing = [n for n in (each.group, each.member) if n not in names and n not in server.names]
        if missing:
            left[f"{shown(each)} is left out: there is no role {missing[0]}"] = None
        elif each.group in powerful or each.group.startswith(PREDEFINED):
            why = f"{each.group} reaches beyond the database"
            left[f"{shown(each)} is left out: {why}; grant it yourself if that is wanted"] = None
        else:
            yield each


def shown(membership: Membership) -> str:
    """The membership as a statement, without its options."""
    group, member = (Identifier(n).as_string(None) for n in (membership.group, membership.member))
    return f"GRANT {group} TO {member}"


def line_on_role(role: Role, plan: Plan) -> str:
    """`role shop_app made: LOGIN, in shop_owner`, with all that it may do on the whole server."""
    words = ["LOGIN" if role.can_log_in else "NOLOGIN", *role.privileges, *role.far_rights]
    groups = [each.group for each in plan.memberships if each.member == role.name]
    words += [f"member of {some(groups, 10)}"] if groups else []
    members = [each.member for each in plan.memberships if each.group == role.name]
    words += [f"its members: {some(members, 10)}"] if members else []
    return f"role {role.name} made: {', '.join(words)}"

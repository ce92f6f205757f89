"""What the application's role may do: with the live database, and with the restored one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import sql

from restore_drill.core.names import joined
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.servers.model import Target

ROLE: LiteralString = """
    SELECT r.rolcanlogin, coalesce(r.rolvaliduntil <= pg_catalog.now(), false),
        pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT'),
        pg_catalog.pg_has_role(r.oid, 'MEMBER')
    FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
    WHERE r.rolname = %s AND d.datname = pg_catalog.current_database()
"""
RIGHTS: LiteralString = """
    SELECT n.nspname, c.relname, c.relkind IN ('r', 'p', 'v', 'm'), c.relacl IS NOT NULL,
        coalesce((
            SELECT array_agg(p) FROM unnest(CASE WHEN c.relkind = 'S'
                THEN ARRAY['USAGE', 'SELECT', 'UPDATE']
                ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] END) p
            WHERE pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
                AND CASE WHEN c.relkind = 'S'
                    THEN pg_catalog.has_sequence_privilege(r.oid, c.oid, p)
                    ELSE pg_catalog.has_table_privilege(r.oid, c.oid, p) END
        ), '{}')
    FROM pg_catalog.pg_roles r, pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rolname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""


class Relation(NamedTuple):
    """A table, view or sequence, and the `privileges` that the role has on it."""

    schema: str
    table: str
    has_rows: bool
    is_granted: bool
    privileges: list[str]

    @property
    def name(self) -> str:
        """`schema.table`."""
        return joined(self.schema, self.table)


@dataclass(frozen=True)
class Rights:
    """What a role may do with a database.

    `problem` is why it cannot connect at all, `held` are privileges by table or sequence;
    `granted` names those whose rights somebody has set, `readable` what a query can be tried on.
    """

    problem: str = ""
    may_be_set: bool = False
    held: dict[str, frozenset[str]] = field(default_factory=dict)
    granted: frozenset[str] = frozenset()
    readable: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """Rights that the role has lost or gained, and those that differ as the dump grants them."""

    problems: list[str]
    by_the_dump: list[str]


def read_rights(connection: Connection, role: str) -> Rights:
    """What `role` may do with the database of `connection`."""
    row = connection.execute(ROLE, [role]).fetchone()
    if row is None:
        return Rights(problem=f"role {role} does not exist on the server")
    can_log_in, has_expired, may_connect, may_be_set = row
    problem = ""
    if not can_log_in:
        problem = f"role {role} has NOLOGIN"
    elif has_expired:
        problem = f"the password of role {role} has expired (VALID UNTIL)"
    elif not may_connect:
        problem = f"role {role} may not CONNECT to the database"
    rows = [Relation(*row) for row in connection.execute(RIGHTS, [role]).fetchall()]
    return Rights(
        problem=problem,
        may_be_set=may_be_set,
        held={each.name: frozenset(each.privileges) for each in rows},
        granted=frozenset(each.name for each in rows if each.is_granted),
        readable={
            each.name: (each.schema, each.table)
            for each in rows
            if each.has_rows and "SELECT" in each.privileges
        },
    )


def compare_rights(live: Target, restored: Target, role: str) -> Compared:
    """What `role` may do with `restored` and could with `live`, where that differs.

    Whether it may log in and connect is asked of `live`: a promotion carries that over. Where that
    is absent, the dump alone says what the role may.
    """
    live = restored if live.is_absent else live
    try:
        with live.connect_read_only() as connection:
            before = read_rights(connection, role)
        with restored.connect_read_only() as connection:
            now = read_rights(connection, role)
            failed = try_queries(connection, role, now) if now.may_be_set else []
    except psycopg.Error as error:
        return Compared([f"the rights of role {role} could not be read: {error_text(error)}"], [])
    problems = [before.problem] if before.problem else []
    by_the_dump: list[str] = []
    for name in sorted(before.held.keys() & now.held.keys()):
        if line := difference(name, before.held[name], now.held[name]):
            (by_the_dump if name in now.granted else problems).append(line)
    return Compared(problems + failed, by_the_dump)


def difference(name: str, before: frozenset[str], now: frozenset[str]) -> str:
    """How the rights on `name` differ; empty where they do not."""
    parts = [f"lost {', '.join(sorted(before - now))}"] if before - now else []
    parts += [f"gained {', '.join(sorted(now - before))}"] if now - before else []
    return f"{name}: {' and '.join(parts)}" if parts else ""


def try_queries(connection: Connection, role: str, rights: Rights) -> list[str]:
    """What fails when `role` itself reads each table that it may, without a row."""
    failed = []
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    for name, parts in rights.readable.items():
        try:
            connection.execute(sql.SQL("SELECT FROM {} LIMIT 0").format(sql.Identifier(*parts)))
        except psycopg.Error as error:
            failed.append(f"{name}: {error_text(error, name)}")
    connection.execute("RESET ROLE")
    return failed

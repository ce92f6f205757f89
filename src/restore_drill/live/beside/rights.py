"""Whether this role may restore what a backup holds: its owners, and what only superusers make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg.sql import Identifier

from restore_drill.backups.model import Entry
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import some
from restore_drill.facts.session import Connection
from restore_drill.live.beside.database import with_own_settings
from restore_drill.live.server.maintenance import maintenance_target
from restore_drill.live.server.owning import may_own, membership_to_own
from restore_drill.servers.model import Target

OUT_OF_REACH = """
    SELECT rolname FROM pg_catalog.pg_roles
    WHERE rolname = ANY(%s) AND NOT {may_own} ORDER BY 1
"""
PUBLIC = """
    SELECT pg_catalog.pg_get_userbyid(nspowner), pg_catalog.pg_has_role(nspowner, 'USAGE'),
        pg_catalog.has_schema_privilege(oid, 'CREATE')
    FROM pg_catalog.pg_namespace WHERE nspname = 'public'
"""
REACHED = "SELECT pg_catalog.pg_has_role(oid, %s) FROM pg_catalog.pg_roles WHERE rolname = %s"
OWNED = frozenset({
    "TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE", "FUNCTION", "PROCEDURE",
    "AGGREGATE", "TYPE", "DOMAIN", "SCHEMA", "DEFAULT ACL",
})  # fmt: skip
"""Kinds of entries behind which pg_dump writes ALTER ... OWNER TO, or FOR ROLE."""
FAMILY = "CREATE OPERATOR FAMILY pg_temp.restore_drill USING btree"
TRIALS = {
    "EVENT TRIGGER": "CREATE FUNCTION pg_temp.restore_drill() RETURNS event_trigger"
    " LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER restore_drill ON ddl_command_end"
    " EXECUTE FUNCTION pg_temp.restore_drill()",
    "FOREIGN DATA WRAPPER": "CREATE FOREIGN DATA WRAPPER restore_drill",
    "ACCESS METHOD": "CREATE ACCESS METHOD restore_drill TYPE INDEX HANDLER bthandler",
    "OPERATOR CLASS": FAMILY,
    "OPERATOR FAMILY": FAMILY,
    "SUBSCRIPTION": "CREATE SUBSCRIPTION restore_drill CONNECTION 'dbname=none password=none'"
    " PUBLICATION none WITH (connect = false)",
}
"""What PostgreSQL lets superusers make, by kind of entry, and one of it: platforms let others."""


@contextmanager
def examined(server: Target) -> Iterator[None]:
    """CouldNotRun where `server` does not answer what is asked inside."""
    try:
        yield
    except psycopg.Error as error:
        raise CouldNotRun(
            f"{server.description} could not be examined",
            checked=[error_text(error)],
        ) from None


def owners_in(entries: Iterable[Entry]) -> list[str]:
    """Roles that the backup makes owners, or whose default privileges it sets."""
    owners = {
        each.owner
        for each in entries
        if each.kind in OWNED and (each.kind, each.name) != ("SCHEMA", "public")
    }
    return sorted(name for name in owners - {"", "-"} if not name.startswith("pg_"))


def refuse_owners(live: Target, entries: Iterable[Entry]) -> None:
    """CouldNotRun where the role cannot make the owners in the backup owners on this server."""
    need = membership_to_own(live)
    through = maintenance_target(live) if live.is_absent else live
    with examined(live), with_own_settings(through).connect(connect_timeout="10") as connection:
        query = OUT_OF_REACH.format(may_own=may_own("oid"))
        rows = connection.execute(query.encode(), [owners_in(entries), need]).fetchall()
    if rows:
        names = [name for (name,) in rows]
        raise CouldNotRun(
            f"{live.description} was not touched: its role may not assign objects to "
            + some(names, 10),
            checked=[f"pg_has_role(..., '{need}') and USAGE for the owners in the backup"],
            remedy=remedy_for("beside", "owners", name=Identifier(names[0]).as_string(None)),
        )


def refuse_rights(made: Target, entries: Sequence[Entry]) -> None:
    """CouldNotRun where the new database `made` will not take what the backup holds.

    That is tried in it, and nothing of it stays.
    """
    refused = []
    kinds = [kind for kind in TRIALS if any(each.kind == kind for each in entries)]
    with examined(made), made.connect() as connection, connection.transaction(force_rollback=True):
        for kind in kinds:
            try:
                with connection.transaction():
                    connection.execute(TRIALS[kind].encode())
            except psycopg.Error as error:
                refused.append(f"{kind}: {error_text(error, TRIALS[kind])}")
        refused += problems_of_public(connection, entries, membership_to_own(made))
    if refused:
        raise CouldNotRun(
            f"{made.description} does not accept what the backup holds",
            checked=refused,
            remedy=remedy_for("beside", "not_a_superuser"),
        )


def problems_of_public(connection: Connection, entries: Sequence[Entry], need: str) -> list[str]:
    """Why the schema public, which a new database has of itself, will not be as in the backup.

    On a managed platform it may belong to one of the platform's roles. `need` is the membership in
    a role that makes it possible to make that the owner.
    """
    row = connection.execute(PUBLIC).fetchone()
    if row is None:
        return []
    owner, is_ours, may_create = row
    found = []
    if not may_create and any(e.schema == "public" and e.kind in OWNED for e in entries):
        found.append(f"SCHEMA public: it belongs to {owner}, and this role may not create in it")
    named = {each.owner for each in entries if (each.kind, each.name) == ("SCHEMA", "public")}
    for name in sorted(named - {"", "-", owner}):
        reached = connection.execute(REACHED, [need, name]).fetchone()
        if not is_ours or reached == (False,):
            found.append(f"SCHEMA public: it belongs to {owner}, and to {name} in the backup")
    return found

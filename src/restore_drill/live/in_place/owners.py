"""What in a live database belongs to roles that the drill's own role cannot act for."""

from __future__ import annotations

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.session import Connection
from restore_drill.live.server.emptying import SCHEMAS
from restore_drill.live.server.owning import may_own, membership_to_own
from restore_drill.servers.model import Target

MOST = 10
"""So many reasons are listed."""
LARGE_OBJECTS = "pg_largeobject_metadata"
OWNED = {
    "pg_class": "relowner", "pg_proc": "proowner", "pg_type": "typowner",
    "pg_namespace": "nspowner", "pg_operator": "oprowner", "pg_opclass": "opcowner",
    "pg_opfamily": "opfowner", "pg_collation": "collowner", "pg_conversion": "conowner",
    "pg_ts_dict": "dictowner", "pg_ts_config": "cfgowner", "pg_language": "lanowner",
    "pg_foreign_server": "srvowner", "pg_event_trigger": "evtowner", "pg_publication": "pubowner",
    "pg_extension": "extowner", "pg_statistic_ext": "stxowner",
    LARGE_OBJECTS: "lomowner",
}  # fmt: skip
"""Catalogs of what has an owner in a database, and the column that holds it."""
USERS = "c.oid >= 16384"
"""Numbers from there on are not the server's own; those of large objects anybody may choose."""
OF_ITSELF = {
    LARGE_OBJECTS: "true",
    "pg_class": f"{USERS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
    " AND c.relpersistence <> 't'",
    "pg_type": f"{USERS} AND c.typrelid = 0 AND c.typelem = 0",
    "pg_namespace": f"({USERS} OR c.nspname = 'public') AND c.nspname IN ({SCHEMAS})",
}
"""What of a catalog is an object by itself: no index, no type of a table's rows.

Of schemas only what a reset drops: those of temporary tables are the server's own, and outlast
them.
"""
OF_OTHERS = """
    SELECT pg_catalog.pg_describe_object('pg_catalog.{described}'::pg_catalog.regclass, c.oid, 0),
        pg_catalog.pg_get_userbyid(c.{owner})
    FROM pg_catalog.{catalog} c WHERE {of_itself}
        AND NOT {may_own}
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass
                AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1
"""


def refuse_objects_of_others(target: Target, connection: Connection) -> None:
    """CouldNotRun where this role cannot drop something, or not give it back to its owner."""
    if theirs := owned_by_others(target, connection):
        raise not_given_back(target, theirs)


def owned_by_others(target: Target, connection: Connection) -> list[str]:
    """What this role can neither drop nor give back to whom it belongs."""
    found = []
    for catalog, owner in OWNED.items():
        query = OF_OTHERS.format(
            catalog=catalog,
            described=catalog.removesuffix("_metadata"),
            owner=owner,
            may_own=may_own(f"c.{owner}", f"'{membership_to_own(target)}'"),
            of_itself=OF_ITSELF.get(catalog, USERS),
        )
        found += [
            f"{what} belongs to {whom}, which this role may not act for"
            for what, whom in connection.execute(query.encode()).fetchall()
        ]
    return found


def not_given_back(target: Target, reasons: list[str]) -> CouldNotRun:
    """The error that a rollback could not give back all, for `reasons`."""
    more = [f"and {len(reasons) - MOST} more"] if len(reasons) > MOST else []
    return CouldNotRun(
        f"{target.description} was not touched: a rollback could not restore everything "
        "that it has",
        checked=[*reasons[:MOST], *more],
        remedy=remedy_for("in_place", "lost"),
    )

"""Databases that killed drills have left beside a live one, and roles: dropped by the next."""

from __future__ import annotations

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.beside.database import drop, with_own_settings
from restore_drill.live.roles.marks import drop_left_roles
from restore_drill.live.server.drill_databases import find, lock_key
from restore_drill.live.server.maintenance import maintenance_target, other_database
from restore_drill.servers.model import Target

NOT_OURS = "bears no mark of a drill and was not touched"
"""Of what only looks like a left-over."""


def drop_left_overs(live: Target) -> tuple[list[str], list[str]]:
    """Drop what killed drills have left beside `live`: a line on each, and on each that stays.

    CouldNotRun where its server does not answer.
    """
    dropped: list[str] = []
    kept: list[str] = []
    try:
        with with_own_settings(maintenance_target(live, ["postgres"])).connect() as connection:
            for each in (each for each in find(connection, live).beside if each.holder is None):
                name = each.name
                if not each.is_marked:
                    kept.append(f"the database {name} {NOT_OURS}")
                    continue
                try:
                    if drop_left_over(connection, live, name):
                        dropped.append(f"dropped the database {name}, which a killed drill left")
                except psycopg.Error as error:
                    kept.append(f"the database {name}, which a killed drill left, could not be "
                                f"dropped: {error_text(error)}")  # fmt: skip
            roles, left = drop_left_roles(connection, live.conninfo["dbname"])
            dropped, kept = dropped + roles, kept + left
    except psycopg.OperationalError as error:
        raise CouldNotRun(
            f"{live.description} could not be examined", checked=[error_text(error)]
        ) from None
    return dropped, kept


def drop_left_over(connection: Connection, live: Target, name: str) -> bool:
    """Drop the left-over `name` behind its lock; False where another run was quicker."""
    key = [lock_key(name)]
    if connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", key).fetchone() != (True,):
        return False
    try:
        if name not in {each.name for each in find(connection, live).beside if each.is_marked}:
            return False
        drop(connection, with_own_settings(other_database(live, name)))
    finally:
        connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", key)
    return True

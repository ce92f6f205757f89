"""The databases of a recovered server, opened one by one: what is in each, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import LiteralString

import psycopg

from restore_drill.core.server_errors import error_text
from restore_drill.facts.physical.guard import Guard
from restore_drill.facts.physical.order import orders_or_why_not
from restore_drill.facts.physical.relations import Relation, read_relations
from restore_drill.facts.physical.surviving import surviving
from restore_drill.facts.session import Connection, open_session
from restore_drill.servers.model import Target

QUIET = "-c session_preload_libraries= -c local_preload_libraries="
"""Options of a session: a library that a database asks for need not be here, and is not ours."""

SETTINGS: LiteralString = """
    SELECT current_setting('data_checksums') = 'on', current_setting('block_size')::int"""
INVALID: LiteralString = "SELECT datname::text FROM pg_database WHERE datconnlimit = -2 ORDER BY 1"


@dataclass
class Database:
    """A database that could be opened: its `relations`, and `orders`: indexes of doubtful order.

    It is examined under the `prefix` of its name, which is empty for the first one.
    """

    name: str
    target: Target
    prefix: str
    relations: list[Relation]
    orders: dict[int, str] = field(default_factory=dict)
    why_no_orders: str = ""


@dataclass
class Cluster:
    """What the server says of itself, read once."""

    checksums_on: bool = False
    page: int = 0
    invalid: list[str] = field(default_factory=list)


def quiet(target: Target) -> Target:
    """`target`, whose sessions load no library that its database asks for."""
    options = f"{target.conninfo.get('options', '')} {QUIET}".strip()
    return replace(target, conninfo=target.conninfo | {"options": options})


def open_each(
    targets: Sequence[tuple[str, Target]], guard: Guard
) -> tuple[list[Database], dict[str, str]]:
    """Databases that can be opened, the first one without a prefix, and why others cannot."""
    found: list[Database] = []
    unopened: dict[str, str] = {}
    for number, (name, target) in enumerate(targets):
        try:
            session = surviving(lambda target=target: open_session(target), guard)  # type: ignore[misc]
        except psycopg.Error as error:
            unopened[name] = error_text(error)
            continue
        try:
            relations = read_relations(session, name if number else "")
            orders, why = orders_or_why_not(session, target.major)
        except psycopg.Error as error:
            unopened[name] = error_text(error)
            continue
        finally:
            session.close()
        if found:
            relations = [each for each in relations if not each.is_shared]
        prefix = next((each.prefix for each in relations if each.prefix), "")
        found.append(Database(name, target, prefix, relations, orders, why))
    return found, unopened


def read_cluster(connection: Connection) -> Cluster:
    """What the server says of itself."""
    row = connection.execute(SETTINGS).fetchone()
    checksums_on, page = row or (False, 0)
    return Cluster(
        checksums_on,
        page,
        [name for (name,) in connection.execute(INVALID)],
    )

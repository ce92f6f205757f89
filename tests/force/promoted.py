"""A promotion that has taken place: what the way back begins with."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from restore_drill.live.beside.database import with_own_settings
from restore_drill.live.promote.journal import PROMOTION, Journal
from restore_drill.live.promote.swap import Means, kept_name, swap
from restore_drill.live.server.identity import system_of
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.database import open_database
from restore_drill.servers.find import find_binaries
from tests.force.world import BACKUP, World
from tests.helpers.shop import quiet


def promote(world: World, name: str) -> None:
    """Swap the live database `name` with a copy of the backup, as a drill does at its end."""
    incoming = f"{name}_drill_{secrets.token_hex(6)}"
    copy = f"CREATE DATABASE {incoming} TEMPLATE {BACKUP} OWNER drill STRATEGY file_copy"
    with world.server.connect("postgres") as connection:
        connection.execute(copy.encode())
        rows = connection.execute("SELECT datname, oid::bigint FROM pg_database").fetchall()
    numbers = dict(rows)
    url = f"postgresql://drill@127.0.0.1:{world.server.port}/postgres"
    server = open_database(url, lambda major: find_binaries(major, note=quiet))
    server = with_own_settings(server)
    with server.connect() as connection:
        system = system_of(connection)
    now = datetime.now(UTC)
    journal = Journal(
        system=system,
        name=name,
        live_oid=numbers[name],
        incoming_oid=numbers[incoming],
        incoming=incoming,
        kept=kept_name(name, "before", now.utctimetuple()),
        kind=PROMOTION,
        begun_at=now.isoformat(timespec="seconds"),
    )
    with NameLock(server, name) as lock:
        swap(Means(server, lock, world.snapshots, 5.0), journal)

"""A live database with an incoming one beside it, and the swap of the two."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from restore_drill.live.promote.journal import PROMOTION, Journal
from restore_drill.live.promote.swap import Means
from restore_drill.live.server.identity import identity_of_server
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers import executor
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from restore_drill.servers.tuning import server_settings
from tests.helpers.drills import run_script
from tests.helpers.shop import quiet, require_major


@dataclass(frozen=True)
class Pair:
    """Two databases of one server, and the journal of their swap."""

    server: Target
    live: Target
    incoming: Target
    journal: Journal

    def names(self) -> dict[str, int]:
        """Numbers of all databases by name."""
        with self.server.connect() as connection:
            found = connection.execute("SELECT datname, oid::bigint FROM pg_database").fetchall()
        return dict(found)

    def holds(self, name: str) -> str:
        """What the database `name` holds."""
        with self.live.connect(dbname=name) as connection:
            row = connection.execute("SELECT what FROM content").fetchone()
        assert row is not None
        return str(row[0])

    def server_as(self, user: str) -> Target:
        """The way to the server as `user`, who is no superuser: nobody else turns triggers off."""
        conninfo = {**self.server.conninfo, "user": user}
        return replace(self.server, conninfo=conninfo, without_event_triggers=False)

    def means(self, folder: Path, lock: NameLock, **options: Any) -> Means:
        """What to swap with."""
        return Means(self.server, lock, folder, options.pop("max_wait", 1.0), **options)


def pair_on(server: EmbeddedServer, name: str) -> Pair:
    """A live database `name` that holds `old`, and one beside it that holds `new`."""
    live, incoming = (server.create_database(each) for each in (name, f"{name}_drill_x"))
    for target, content in ((live, "old"), (incoming, "new")):
        with target.connect() as connection:
            connection.execute(f"CREATE TABLE content AS SELECT '{content}' AS what".encode())
    system, oid, _ = identity_of_server(live)
    journal = Journal(
        system=system,
        name=name,
        live_oid=oid,
        incoming_oid=identity_of_server(incoming).oid,
        incoming=f"{name}_drill_x",
        kept=f"{name}_before_20261128_050012",
        kind=PROMOTION,
        begun_at="2026-11-28T05:00:12+00:00",
    )
    return Pair(server.target("postgres"), live, incoming, journal)


@contextmanager
def started(major: int, **settings: str) -> Iterator[EmbeddedServer]:
    """A live server of that major, with `settings` of its own."""
    require_major(major)

    def as_well(folder: Path) -> dict[str, str]:
        return {**server_settings(folder), **settings}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor, "server_settings", as_well)
        with start_embedded(find_binaries(major, note=quiet), note=quiet) as server:
            yield server


def connect(
    target: Target, user: str = "postgres", name: str = "shop"
) -> psycopg.Connection[tuple[Any, ...]]:
    """A session of the application in `target`."""
    given: dict[str, Any] = {**target.conninfo, "user": user, "application_name": name}
    return psycopg.connect(autocommit=True, **given)


KILLED = """
import json, os, sys
from pathlib import Path
from restore_drill.live.promote.journal import Journal, journal_from
from restore_drill.live.server.name_lock import NameLock
from restore_drill.live.promote.swap import Means, swap
from restore_drill.servers.model import Target
journal = journal_from(json.loads(sys.argv[1]))
server = Target("database", json.loads(sys.argv[2]), 150000, None)
def at(moment):
    print(moment, flush=True)
    if moment == sys.argv[4]:
        os.kill(os.getpid(), 9)
with NameLock(server, journal.name) as lock:
    swap(Means(server, lock, Path(sys.argv[3]), 1.0, at), journal)
"""


def swap_and_kill(pair: Pair, folder: Path, moment: str) -> subprocess.CompletedProcess[str]:
    """Swap in a process of its own, which is killed at `moment`."""
    return run_script(
        KILLED, pair.journal.text, json.dumps(pair.server.conninfo), str(folder), moment
    )

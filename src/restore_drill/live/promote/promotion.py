"""A promotion: checked when the new database is still empty, carried out when it is proved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import Identifier

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.beside.database import with_own_settings
from restore_drill.live.promote.carry import check_carry
from restore_drill.live.promote.journal import (
    CREATION,
    NO_DATABASE,
    PROMOTION,
    Journal,
    way_back_command,
)
from restore_drill.live.promote.promotable import check_free, check_promotable, notes_on_users
from restore_drill.live.promote.swap import Means, kept_name, swap
from restore_drill.live.server.identity import identity_of_server
from restore_drill.live.server.maintenance import OTHERS, maintenance_target
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.model import Target

IS_THERE = "SELECT FROM pg_catalog.pg_database WHERE datname = %s"
NEVER = "there was no such database before"


@dataclass(frozen=True)
class Promotion:
    """The database `incoming` is to take the name of `live`; their numbers are known.

    `live_oid` is NO_DATABASE where there is none: then the name is given, and taken from nobody.
    """

    means: Means
    system: str
    name: str
    live_oid: int
    incoming_oid: int
    incoming: str

    @property
    def is_creation(self) -> bool:
        """Whether there is no live database."""
        return self.live_oid == NO_DATABASE

    @property
    def as_before(self) -> str:
        """What the live name stands for while nothing was renamed."""
        if self.is_creation:
            return self.without_creation()
        return f"{self.name} is what it was before the drill"

    def without_creation(self) -> str:
        """What the live name stands for where nothing was created: others may have made it."""
        try:
            with self.means.server.connect(connect_timeout="10") as connection:
                is_there = connection.execute(IS_THERE, [self.name]).fetchone() is not None
        except psycopg.Error:
            return f"the drill created no database {self.name}"
        if is_there:
            return f"{self.name} was created by somebody else during the drill, and was not touched"
        return f"there is no database {self.name}, as before the drill"

    def journal(self) -> Journal:
        """The journal of the swap that begins now."""
        now = datetime.now(UTC)
        kept = "" if self.is_creation else kept_name(self.name, "before", now.utctimetuple())
        return Journal(
            system=self.system,
            name=self.name,
            live_oid=self.live_oid,
            incoming_oid=self.incoming_oid,
            incoming=self.incoming,
            kept=kept,
            kind=CREATION if self.is_creation else PROMOTION,
            begun_at=now.isoformat(timespec="seconds"),
        )

    def check(self) -> list[str]:
        """Lines on who is connected; CouldNotRun where the two cannot be swapped."""
        server = self.means.server
        try:
            with server.connect() as connection:
                if self.is_creation:
                    check_free(connection, self.name)
                    return []
                check_promotable(connection, server, self.live_oid, self.name)
                check_carry(connection, self.live_oid, self.incoming_oid)
                return notes_on_users(connection, self.live_oid, self.name)
        except psycopg.Error as error:
            raise CouldNotRun(
                f"database {self.name} was not touched: its server could not be examined",
                checked=[error_text(error)],
            ) from None

    def carry_out(
        self, last_check: Callable[[], None], announce: Callable[[dict[str, Any]], None]
    ) -> None:
        """Swap the two, and hand part `promotion` of result.json to `announce`.

        `last_check` may still refuse it. NotSwapped where both have the names that they had,
        NotSettled where that is not known.
        """
        began = time.monotonic()

        def swapped(done: Journal, ended: int) -> None:
            announce(self.part_of(done, ended, time.monotonic() - began))

        swap(self.means._replace(last_check=last_check, announce=swapped), self.journal())

    def part_of(self, done: Journal, ended: int, seconds: float) -> dict[str, Any]:
        """Part `promotion` of result.json: what the swap of the journal `done` has led to."""
        old = f"what it held before is kept complete in {done.kept}" if done.kept else NEVER
        return {
            "promoted": True,
            "database": done.name,
            "kept": done.kept or None,
            "kept_quoted": Identifier(done.kept).as_string(None) if done.kept else None,
            "sessions_ended": ended,
            "seconds": round(seconds, 3),
            "way_back": way_back_command(done.name, self.means.folder),
            "live_database": f"{done.name} is the restored backup; {old}",
        }


@contextmanager
def promotion_of(
    live: Target,
    incoming: Target,
    folder: Path,
    max_wait: float,
    keep_roles: Callable[[Connection], None] = lambda _: None,
) -> Iterator[Promotion]:
    """Promotion of `incoming` over `live`, under the lock on its name.

    The lock is held in the database postgres: in template1 it would keep others from CREATE
    DATABASE. `folder` holds the journals; `keep_roles` as in `Means`. CouldNotRun where another
    drill has the lock.
    """
    name = live.conninfo["dbname"]
    server = with_own_settings(maintenance_target(live, [n for n in OTHERS if n != name][:1]))
    system, incoming_oid, incoming_name = identity_of_server(incoming)
    live_oid = NO_DATABASE if live.is_absent else identity_of_server(live).oid
    with NameLock(server, name) as lock:
        means = Means(server, lock, folder, max_wait, keep_roles=keep_roles)
        yield Promotion(means, system, name, live_oid, incoming_oid, incoming_name)

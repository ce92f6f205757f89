"""The way back from a promotion: the old database gets its name again, by a swap of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql

from restore_drill.config.settings import settings_here
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import capitalised
from restore_drill.facts.session import Connection
from restore_drill.live.promote.interrupted import line_on, server_of
from restore_drill.live.promote.journal import (
    DONE,
    NO_DATABASE,
    PREPARED,
    UNDONE,
    WAY_BACK,
    Journal,
    journals_of,
)
from restore_drill.live.promote.nothing_back import nothing_to_undo, why_moved
from restore_drill.live.promote.promotable import check_promotable, notes_on_users
from restore_drill.live.promote.settle import names_of, settle
from restore_drill.live.promote.swap import Means, kept_name, swap
from restore_drill.live.server.deferred import DeferredSignals
from restore_drill.live.server.identity import system_of
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.database import conninfo_of
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target


def by_command(parsed: argparse.Namespace, root: Path, note: Callable[[str], None]) -> int:
    """Carry out `restore-drill rollback --confirm NAME`."""
    given = {"target": "database", "max_lock_wait": parsed.max_lock_wait}
    settings = settings_here(given, root)
    url = settings.database_url or ""
    name = conninfo_of(url)["dbname"]
    if parsed.confirm != name:
        raise UsageError(
            f"--confirm names {parsed.confirm!r}, DATABASE_URL the database {name!r}; "
            "nothing was touched"
        )
    folder: Path | None = parsed.journal
    if folder is None and settings.is_sample:
        raise UsageError(
            "BACKUP_PATH is unset: its folder snapshots/ holds the journal of the promotion; "
            "set it, or name that folder with --journal; nothing was touched"
        )
    if folder is not None and not folder.is_dir():
        raise UsageError(f"--journal: there is no folder {folder}; nothing was touched")
    folder = folder or settings.snapshots_folder
    server = server_of(url, lambda major: find_binaries(major, note=note))
    with DeferredSignals():
        done = swap_back(server, folder, name, settings.max_lock_wait, note)
    if done.incoming_oid == NO_DATABASE:
        note(f"again, there is no database {name}, as before it was created")
        note(f"the one that had the name is now called {done.kept}; only you can drop it")
        return 0
    note(f"{name} is again the database that it was before its promotion")
    note(f"the promoted one is complete too, and is now called {done.kept}; only you can drop it")
    return 0


def swap_back(
    server: Target, folder: Path, name: str, max_wait: float, note: Callable[[str], None]
) -> Journal:
    """Give the name `name` back to the database that had it before its last promotion.

    `server` leads to the server through another database. The one that is replaced stays as
    `NAME_undone_TIME`. CouldNotRun where no journal names what to go back to, or it is not there.
    """
    with NameLock(server, name) as lock:
        with server.connect() as connection:
            system = system_of(connection)
        for journal in journals_of(folder, name, system):
            if journal.is_open:
                line = line_on(settle(server, folder, journal))
                note(capitalised(line))
        with server.connect() as connection:
            plan = plan_of(connection, folder, name, system)
            check_promotable(connection, server, plan.live_oid, name)
            refuse_closed(connection, plan)
            for line in notes_on_users(connection, plan.live_oid, name):
                note(line)
        note(f"what was written into {name} since its promotion is only in {plan.kept}")
        done, _ = swap(Means(server, lock, folder, max_wait), plan)
        return done


def plan_of(connection: Connection, folder: Path, name: str, system: str) -> Journal:
    """The swap that undoes the promotion which has put the present database `name` there."""
    row = connection.execute(
        "SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = %s", [name]
    ).fetchone()
    journals = journals_of(folder, name, system)
    done = [each for each in journals if each.step == DONE]
    last = next((each for each in done if row and each.incoming_oid == row[0]), None)
    if last is None or last.kind == WAY_BACK:
        of_it = [each for each in journals if row and each.live_oid == row[0]]
        undone = next((each for each in of_it if each.step == UNDONE), last)
        moved = done and why_moved(connection, done[-1], name, is_there=row is not None)
        if undone is None and moved:
            raise moved
        raise nothing_to_undo(connection, folder, name, undone, done[-1] if done else None)
    is_created = last.live_oid == NO_DATABASE
    if not is_created and names_of(connection, last.live_oid) != {last.live_oid: last.kept}:
        found = names_of(connection, last.live_oid).get(last.live_oid)
        now_called = "NAME" if found is None else sql.Identifier(found).as_string(None)
        raise CouldNotRun(
            f"database {name} was not touched: the one that it was before its promotion is not "
            f"called {last.kept} any more",
            checked=[f"pg_database: number {last.live_oid} is {found or 'gone'}"],
            remedy=remedy_for("way_back", "renamed", kept=last.kept, name=name, now=now_called),
        )
    now = datetime.now(UTC)
    return replace(
        last,
        live_oid=last.incoming_oid,
        incoming_oid=last.live_oid,
        incoming=last.kept,
        kept=kept_name(name, "undone", now.utctimetuple()),
        kind=WAY_BACK,
        begun_at=now.isoformat(timespec="seconds"),
        step=PREPARED,
    )


def refuse_closed(connection: Connection, plan: Journal) -> None:
    """CouldNotRun where the old database would take the live name, and let nobody in."""
    row = connection.execute(
        "SELECT datallowconn, datconnlimit <> 0 FROM pg_catalog.pg_database WHERE oid = %s",
        [plan.incoming_oid],
    ).fetchone()
    if row is not None and not all(row):
        kept = sql.Identifier(plan.incoming).as_string(None)
        openings = (f"{kept} ALLOW_CONNECTIONS true", f"{kept} CONNECTION LIMIT -1")
        needed = [each for each, is_open in zip(openings, row, strict=True) if not is_open]
        raise CouldNotRun(
            f"database {plan.name} was not touched: the one that it was before its promotion, "
            f"{plan.incoming}, accepts no connections",
            checked=["pg_database.datallowconn and datconnlimit"],
            remedy=remedy_for(
                "way_back", "closed", opening="; ".join(f"ALTER DATABASE {each}" for each in needed)
            ),
        )

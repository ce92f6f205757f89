"""Swaps that were interrupted: found by their journals in the next run, which notes their end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from psycopg import errors
from psycopg.conninfo import make_conninfo

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.live.beside import with_own_settings
from restore_drill.live.journal import DONE, Journal, journals_of
from restore_drill.live.maintenance import OTHERS
from restore_drill.live.name_lock import NameLock
from restore_drill.live.safety import snapshot_folder
from restore_drill.live.settle import settle
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.database import conninfo_of, open_database
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target

SYSTEM = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"


def server_of(url: str, tools_for: Callable[[int], Binaries]) -> Target:
    """The server of DATABASE_URL by another database than that which `url` names.

    The live one may have lost its name. CouldNotRun where no other one lets this role in.
    """
    refused: CouldNotRun | None = None
    for name in OTHERS:
        if name != conninfo_of(url)["dbname"]:
            try:
                found = open_database(make_conninfo(url, dbname=name), tools_for)
            except CouldNotRun as error:
                refused = refused or error
            else:
                return with_own_settings(found)
    assert refused is not None
    raise refused


def system_of(server: Target) -> str:
    """System identifier of `server`, empty where it keeps that to itself."""
    with server.connect() as connection:
        try:
            row = connection.execute(SYSTEM).fetchone()
        except (errors.InsufficientPrivilege, errors.UndefinedFunction):
            return ""  # some managed platforms
    return str(row[0]) if row else ""


def interrupted(settings: Settings, note: Callable[[str], None]) -> list[str]:
    """Lines on swaps of the database in DATABASE_URL that were interrupted (see below)."""
    return settle_interrupted(
        snapshot_folder(settings),
        settings.database_url or "",
        lambda major: find_binaries(major, note=note),
    )


def settle_interrupted(folder: Path, url: str, tools_for: Callable[[int], Binaries]) -> list[str]:
    """Note the end of swaps of the database in `url` that were interrupted; a line on each.

    Costs nothing where there is no journal. CouldNotRun where one is damaged, where the swap may
    still be at work, or where its end cannot be found out.
    """
    name = conninfo_of(url)["dbname"]
    if not any(journal.is_open for journal in journals_of(folder, name, "")):
        return []
    server = server_of(url, tools_for)
    system = system_of(server)
    with NameLock(server, name):
        return [
            line_on(settle(server, folder, journal))
            for journal in journals_of(folder, name, system)
            if journal.is_open
        ]


def line_on(journal: Journal) -> str:
    """How an interrupted swap ended."""
    what = f"a {journal.kind} of {journal.name} was interrupted"
    if journal.step == DONE:
        return f"{what}, and had come about: what it held before is in {journal.kept}"
    return f"{what}, and was undone: {journal.name} is the database that it was before"

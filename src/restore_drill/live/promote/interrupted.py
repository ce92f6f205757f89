"""Swaps that were interrupted: found by their journals in the next run, which notes their end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from psycopg.conninfo import make_conninfo

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.live.beside.database import with_own_settings
from restore_drill.live.promote.journal import (
    CREATION,
    DONE,
    KIND,
    NO_DATABASE,
    PROMOTION,
    Journal,
    readable_journals,
    way_back_command,
)
from restore_drill.live.promote.settle import NotSettled, settle
from restore_drill.live.server.identity import system_of
from restore_drill.live.server.journal_file import unfinished
from restore_drill.live.server.maintenance import OTHERS
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.database import conninfo_of, open_database
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target


def server_of(url: str, tools_for: Callable[[int], Binaries]) -> Target:
    """The server of DATABASE_URL by another database than that which `url` names.

    The live one may have lost its name. CouldNotRun where no other one lets this role in.
    """
    return with_own_settings(way_past(url, tools_for))


def way_past(url: str, tools_for: Callable[[int], Binaries]) -> Target:
    """The same, with the settings that `url` gives."""
    refused: CouldNotRun | None = None
    for name in OTHERS:
        if name != conninfo_of(url)["dbname"]:
            try:
                return open_database(make_conninfo(url, dbname=name), tools_for)
            except CouldNotRun as error:
                refused = refused or error
    assert refused is not None
    raise refused


def interrupted(settings: Settings, note: Callable[[str], None]) -> list[str]:
    """Lines on swaps of the database in DATABASE_URL that were interrupted (see below)."""
    return settle_interrupted(
        settings.snapshots_folder,
        settings.database_url or "",
        lambda major: find_binaries(major, note=note),
        only_read=settings.way == "beside",
    )


def settle_interrupted(
    folder: Path, url: str, tools_for: Callable[[int], Binaries], *, only_read: bool = False
) -> list[str]:
    """Note the end of swaps of the database in `url` that were interrupted; a line on each.

    Costs nothing where there is no journal. CouldNotRun where one is damaged or its end cannot be
    found out, which is a line where the live database is `only_read`; and where the swap may still
    be at work. Journals of other servers are left alone.
    """
    name = conninfo_of(url)["dbname"]
    found, damaged = readable_journals(folder, name, "")
    is_open = any(journal.is_open for journal in found)
    if not damaged and not is_open and not unfinished(folder, KIND, name):
        return []
    server = server_of(url, tools_for)
    with server.connect() as connection:
        system = system_of(connection)
    with NameLock(server, name):
        found, damaged = readable_journals(folder, name, system)
        if damaged and not only_read:
            raise damaged[0]
        lines = [line for error in damaged for line in lines_of(error, name)]
        for journal in found:
            if journal.is_open:
                lines += end_of(server, folder, journal, only_read=only_read)
        for path in unfinished(folder, KIND, name):
            path.unlink(missing_ok=True)
            lines.append(f"removed {path.name}, which a killed drill left unfinished")
    return lines


def end_of(server: Target, folder: Path, journal: Journal, *, only_read: bool) -> list[str]:
    """Lines on how an interrupted swap ended; CouldNotRun where that is not known, as above."""
    try:
        return [line_on(settle(server, folder, journal), folder)]
    except NotSettled as error:
        if only_read:
            return lines_of(error, journal.name)
        raise


def lines_of(error: CouldNotRun, name: str) -> list[str]:
    """`error` as lines on what a drill that only reads the live database is not stopped by."""
    what, *more = str(error).splitlines()
    first = f"{what} ({name} is neither promoted nor reset until that is resolved)"
    return [first, *map(str.strip, more)]


def line_on(journal: Journal, folder: Path | None = None) -> str:
    """How an interrupted swap ended; with the way back where `folder` is that of its journal."""
    what = f"a {journal.kind} of {journal.name} was interrupted"
    back = ""
    if folder and journal.step == DONE and journal.kind in (PROMOTION, CREATION):
        back = f"; the way back: {way_back_command(journal.name, folder)}"
    if NO_DATABASE in (journal.live_oid, journal.incoming_oid):
        is_there = (journal.step == DONE) == (journal.live_oid == NO_DATABASE)
        end = "had taken effect" if journal.step == DONE else "was undone"
        return (
            f"{what}, and {end}: there is {'a' if is_there else 'no'} database {journal.name} now"
            + back
        )
    if journal.step == DONE:
        return f"{what}, and had taken effect: what it held before is in {journal.kept}{back}"
    return f"{what}, and was undone: {journal.name} is the database that it was before"

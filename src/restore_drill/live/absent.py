"""A live database that is not there: found out, never made up from a misspelled name.

Only `--create-database` lets a drill go on; with `--promote` a new database is given the name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace

import psycopg

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some
from restore_drill.live.promote.interrupted import way_past
from restore_drill.live.server.maintenance import other_database
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.database import (
    NoDatabase,
    Tools,
    conninfo_of,
    live_target,
    open_database,
    place_of,
)
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target

SHOWN = 10
"""So many other databases are named at most."""
NAMES = """
    SELECT datname FROM pg_catalog.pg_database
    WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1
"""
"""What a misspelled name may have meant."""
SYSTEM = ("postgres", "template0", "template1")
"""Databases that a server has of itself."""
IS_THERE = "SELECT FROM pg_catalog.pg_database WHERE datname = %s"


def open_live(
    settings: Settings, note: Callable[[str], None], tools_for: Tools | None = None
) -> Target:
    """The database in DATABASE_URL, there or not (`Target.is_absent`).

    `tools_for` gives the client tools for its server's major version, else those of this machine.

    CouldNotRun where its server does not answer, where what is to be done with it is not confirmed,
    and where it is absent and would have to be there.
    """
    refuse_system_database(settings)
    try:
        return live_target(settings, note, tools_for)
    except NoDatabase as error:
        url = settings.database_url or ""
        tools = tools_for or (lambda major: find_binaries(major, note=note))
        found, others = absent_at(url, tools, error)
    name = found.conninfo["dbname"]
    if not settings.create_database:
        raise CouldNotRun(
            f"there is no {place_of(found.conninfo)}, and nothing was made",
            checked=checked_names(name, others),
            remedy=remedy_for("absent", settings.way, name=name),
        )
    return found


def refuse_system_database(settings: Settings) -> None:
    """CouldNotRun where a database that every server has of itself would give up its name."""
    conninfo = conninfo_of(settings.database_url or "")
    name = conninfo["dbname"]
    if settings.promote and name in SYSTEM:
        raise CouldNotRun(
            f"{place_of(conninfo)} was not touched: a promotion does not rename a database "
            "that every server has",
            checked=[
                (
                    f"{name} is where tools connect in order to create, rename and drop "
                    "other databases"
                )
            ],
            remedy=remedy_for("promote_refused", "system", name=name),
        )


def open_live_at(url: str, tools_for: Callable[[int], Binaries]) -> Target:
    """The database at `url`, there or not; CouldNotRun where its server does not answer."""
    try:
        return open_database(url, tools_for)
    except NoDatabase as error:
        return absent_at(url, tools_for, error)[0]


def absent_at(
    url: str, tools_for: Callable[[int], Binaries], error: NoDatabase
) -> tuple[Target, list[str]]:
    """The database at `url`, which is not on its server, and the names of those that are.

    Raises `error` where the server cannot be asked, or has it after all: a pooler may not know it.
    """
    name = conninfo_of(url)["dbname"]
    try:
        server = way_past(url, tools_for)
        with server.connect(connect_timeout="10") as connection:
            if connection.execute(IS_THERE, [name]).fetchone() is not None:
                raise error
            others = [each for (each,) in connection.execute(NAMES).fetchall()]
    except (CouldNotRun, psycopg.Error):
        raise error from None
    return replace(other_database(server, name), is_absent=True), others


def checked_names(name: str, others: list[str]) -> list[str]:
    """Lines on the databases that are there: those with nearly that name first."""
    near = [each for each in others if each.startswith(f"{name}_")]
    near += [n for n in difflib.get_close_matches(name, others, n=3) if n not in near]
    lines = [f"near that name: {some(near, SHOWN)}"] if near else []
    return [*lines, f"pg_database: {some(others, SHOWN) if others else 'no database of yours'}"]

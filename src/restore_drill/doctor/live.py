"""The live database of `--target database`: what it is, and whether it would be refused.

Only catalogs and settings are read; no row is, and no lock of ours is taken.
"""

from __future__ import annotations

from dataclasses import replace

import psycopg

from restore_drill.backups.model import Backup, Head
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.redact import Redactor
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import capitalised, show_bytes
from restore_drill.doctor.model import Group
from restore_drill.live.absent import open_live
from restore_drill.live.beside.rights import refuse_owners
from restore_drill.live.in_place import door
from restore_drill.live.in_place.journal import is_left_open
from restore_drill.live.in_place.limits import refuse_few_connections
from restore_drill.live.in_place.owners import refuse_objects_of_others
from restore_drill.live.in_place.refusals import refuse_drill_beside, refuse_use
from restore_drill.live.promote.journal import DONE, UNDONE, journals_of
from restore_drill.live.server.identity import system_of
from restore_drill.live.server.locks import refuse_few_locks_in_place
from restore_drill.live.server.maintenance import maintenance_target
from restore_drill.live.survey import SERVER, Server, survey
from restore_drill.selection.chosen import Chosen
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.database import check_resettable, conninfo_of, place_of
from restore_drill.servers.find import find_binaries, planned
from restore_drill.servers.model import Target
from restore_drill.servers.urls import READ_ONLY

WAYS = {
    "beside": "a new database beside it, which is dropped afterwards; the live one is only read",
    "promote": "a new database beside it, which takes over its name once it is proved",
    "in-place": "the live database itself, which is reset once a snapshot of it is proved",
}
"""What is restored into, by way."""


def examine_live(group: Group, settings: Settings, chosen: Chosen | None) -> None:
    """The live database, and every reason not to restore there that is known before a restore."""
    url = settings.database_url
    if settings.target != "database":
        named = "DATABASE_URL is set, but this drill does not use it" if url else "none"
        group.note(f"{named}: the {settings.target} target touches no existing database")
        return
    group.plans(f"a drill restores into {WAYS[settings.way]}")
    notes: list[str] = []

    def tools_for(major: int) -> Binaries:
        return find_binaries(major, note=notes.append, obtain=planned)

    try:
        live = open_live(settings, notes.append, tools_for)
        for line in notes:
            group.warn(line)
        identify(live, group)
        refusals(live, settings, chosen, group)
    except CouldNotRun as error:
        group.error(error)
    except psycopg.Error as error:
        where = place_of(conninfo_of(url or ""))
        group.error(CouldNotRun(f"{where} could not be examined", checked=[error_text(error)]))


def reading(live: Target) -> Target:
    """`live`, in sessions that cannot write."""
    options = f"{live.conninfo.get('options', '')} {READ_ONLY}".strip()
    return replace(live, conninfo=live.conninfo | {"options": options})


def identify(live: Target, group: Group) -> None:
    """Who the server says that it is, and as whom it has let us in."""
    if live.is_absent:
        group.warn(f"the server has no {live.description}: --create-database makes a new one")
    through = maintenance_target(live) if live.is_absent else live
    with reading(through).connect(connect_timeout="10") as connection:
        (row,) = connection.execute(SERVER).fetchall()
        server, system = Server(*row), system_of(connection)
    identity = f"; system identifier {system}" if system else ""
    what = f"the server of {live.description}" if live.is_absent else live.description
    group.ok(f"{what} answers{identity}", plan=True)
    rights = "a superuser" if server.is_superuser else "no superuser"
    makes = "may" if server.may_create else "may not"
    size = "" if live.is_absent else f"; the database takes {show_bytes(server.size)}"
    group.note(f"role {server.role}: {rights}, {makes} create databases{size}")


def refusals(live: Target, settings: Settings, chosen: Chosen | None, group: Group) -> None:
    """What keeps a drill from restoring there; CouldNotRun for the first reason."""
    name, folder = live.conninfo["dbname"], settings.snapshots_folder
    source = chosen.head if isinstance(chosen, Backup) else Head()
    if source.source_major not in (None, live.major):
        group.warn(f"the source was PostgreSQL {source.source_version}, this is {live.version}")
    if any(each.step not in (DONE, UNDONE) for each in journals_of(folder, name, "")):
        group.warn(f"a promotion was interrupted: the next drill settles it; its journal: {folder}")
    if is_left_open(folder, name):
        group.warn(f"a reset in place was interrupted; its journal: {folder}")
    if settings.in_place:
        examine_in_place(reading(live), settings.jobs)
        group.ok("nothing found that prevents a reset")
        return
    head, size = (chosen.head, chosen.size) if isinstance(chosen, Backup) else (Head(), 0)
    for line in survey(live, head, size, settings.jobs, promotes=settings.promote):
        group.plans(line)
    if not settings.create_roles:
        refuse_owners(live, head.entries)
    group.ok("nothing found that prevents a new database beside it")


def examine_in_place(live: Target, jobs: int) -> None:
    """CouldNotRun where a reset would be refused: as `InPlace.examine` has it."""
    check_resettable(live)
    with live.connect() as connection:
        refuse_drill_beside(live, connection)
        refuse_objects_of_others(live, connection)
        refuse_use(live, connection)
        door.refuse_if_shut(live, connection)
        refuse_few_locks_in_place(live, connection)
        refuse_few_connections(live, connection, jobs, locks_inside=False)


def shown_url(url: str) -> str:
    """DATABASE_URL without what may be secret; a remark where it cannot be read."""
    try:
        found = conninfo_of(url)
        user = f", role {found['user']}" if "user" in found else ""
        return Redactor(url)(place_of(found) + user)
    except (psycopg.ProgrammingError, KeyError):
        return capitalised("cannot be read (not shown: it may hold a password)")

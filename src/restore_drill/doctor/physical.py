"""What doctor and the plan of a drill say of a physical backup; nothing of it is copied."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

from restore_drill.backups.model import Backup
from restore_drill.backups.physical.model import PGBACKREST, Physical, show_lsn
from restore_drill.config.settings import Settings
from restore_drill.core.calling import installs
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_count, show_moment
from restore_drill.doctor.model import Group
from restore_drill.doctor.recovering import name_recovery
from restore_drill.recovery.shell import build_of, room_of
from restore_drill.selection.chosen import Chosen
from restore_drill.servers import cleanup
from restore_drill.servers.fetch import pip_command
from restore_drill.servers.find import TO_FETCH, planned
from restore_drill.servers.launcher import choose_launcher
from restore_drill.servers.place import choose_base, fits_in_memory, why_elsewhere

PROGRAM = "pgbackrest"


def physical_of(chosen: Chosen | None) -> Physical | None:
    """The physical backup that was chosen, None for a dump or none at all."""
    return chosen.physical if isinstance(chosen, Backup) else None


def held(physical: Physical) -> str:
    """`57.2 MB of files and 16.8 MB of WAL, from PostgreSQL 15`."""
    wal = f" and {show_bytes(physical.wal_size)} of WAL" if physical.wal_size else ""
    return f"{show_bytes(physical.size)} of files{wal}, from PostgreSQL {physical.major}"


def describe_physical(backup: Backup, physical: Physical, settings: Settings, group: Group) -> None:
    """Where the backup ends, what lies around it, and where its recovery would end."""
    if len(physical.members) > 1:
        group.note(f"it is a chain of {show_count(len(physical.members), 'backup')}, the full one "
                   f"{physical.members[0].path.name}")  # fmt: skip
    if physical.sets:
        group.note(f"{show_count(len(physical.sets), 'backup')} in its repository (--set)")
    if physical.stop_lsn is not None:
        when = f" {show_moment(physical.stopped_at)}" if physical.stopped_at else ""
        place = f"{show_lsn(physical.stop_lsn)} on timeline {physical.timeline}"
        group.note(f"it ended{when}, at {place}: no recovery can stop before that")
    if physical.tablespaces:
        number = show_count(len(physical.tablespaces), "tablespace")
        group.note(f"{number}, which would come into the private copy")
    if not (physical.has_label or physical.shut_down or physical.is_atomic):
        group.bad(
            "it has no backup_label, and its server was not shut down: a drill would refuse it",
            *remedy_for("doctor", "unusable"),
        )
    name_recovery(backup, physical, settings, group)


def name_build(physical: Physical, settings: Settings, group: Group) -> None:
    """The build that would start on a copy, which must be of the very major; other programs."""
    if settings.target != "embedded":
        what = f"--target {settings.target} cannot take a physical backup, whose files need a "
        group.refuse(f"{what}server of their own", *remedy_for("doctor", "target_of_files"))
        return
    try:
        build = build_of(physical.major, lambda _: None, planned)
        if build.source == TO_FETCH:
            pip_command()
    except CouldNotRun as error:
        group.error(error)
    else:
        group.ok(f"{build.name} would start on a copy of its files", plan=True)
    if physical.kind == PGBACKREST:
        found = shutil.which(PROGRAM)
        if found:
            group.ok(f"its repository is read by {found}", plan=True)
        else:
            group.bad("pgbackrest is not installed, which reads its repository",
                      *remedy_for("physical", "no_pgbackrest"))  # fmt: skip
    if find_spec("numpy") is None:
        remedy = remedy_for("place", "extra", install=installs("physical"))
        group.bad("the library numpy is not installed, with which pages are read", *remedy)


def name_room(physical: Physical, group: Group) -> None:
    """Where the copy would live; CouldNotRun where there is no room for it."""
    room, launcher = room_of(physical), choose_launcher()
    base = cleanup.MEMORY if fits_in_memory(launcher, room) else choose_base(launcher, room)
    where = "in memory" if base == cleanup.MEMORY else "on disk"
    free = show_bytes(shutil.disk_usage(base).free)
    need = f"{show_bytes(room)} for files, WAL, and what the checks sort"
    group.ok(f"the copy would live {where} ({base}, {free} free): {need}", plan=True)
    if base != cleanup.MEMORY and (elsewhere := why_elsewhere(base, launcher, room)):
        group.warn(f"it would live {elsewhere}")

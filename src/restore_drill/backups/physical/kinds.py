"""What kind of physical backup lies at a path, by its content."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.physical.barman import barman_backup, servers_at
from restore_drill.backups.physical.beside import with_archive
from restore_drill.backups.physical.chains import chained
from restore_drill.backups.physical.in_folder import folder_backup, holds_files
from restore_drill.backups.physical.in_tars import holds_tars, tar_backup
from restore_drill.backups.physical.live import refuse_live
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.pgbackrest import repository_backup
from restore_drill.backups.physical.quick import PARTS
from restore_drill.backups.physical.repositories import label_in, places_at, the_place
from restore_drill.core.errors import UsageError
from restore_drill.core.units import some


def physical_at(path: Path, *, set_name: str = "", seconds: float | None = None) -> Physical | None:
    """The physical backup at `path`, None where none lies there; OSError where it is closed.

    `set_name` is the backup of a repository that is meant, empty for the newest. One among others
    is looked at for so many `seconds` at most, and its chain is not looked for. Raises UsageError
    for the folder of a server that runs, for a set that is not there, and where several servers
    have backups there; BackupFault for a repository without backups; CouldNotRun where the program
    that reads a repository is missing, or cannot read it.
    """
    if not path.is_dir():
        return None
    if path.name in PARTS and (found := in_repository(path, set_name)):
        return found
    if holds_files(path):
        refuse_live(path)
        found = folder_backup(path)
        return found if seconds else with_archive(chained(found))
    if holds_tars(path):
        found = tar_backup(path, seconds)
        return found if seconds else with_archive(chained(found))
    return in_repository(path, set_name)


def in_repository(path: Path, set_name: str = "") -> Physical | None:
    """The backup of the pgBackRest or Barman repository at `path`, None where there is none."""
    path = path.absolute()
    if places := places_at(path):
        place = the_place(places, path)
        return repository_backup(place, path, set_name or label_in(path, place))
    servers = servers_at(path)
    if len(servers) > 1:
        names = some([each.name for each in servers], 8)
        raise UsageError(
            f"{path} holds the backups of several Barman servers ({names}): name the folder "
            f"of one, --backup={servers[0]}"
        )
    return barman_backup(servers[0], path, set_name) if servers else None

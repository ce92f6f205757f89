"""What kind of physical backup lies at a path, by its content."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.physical.barman import barman_backup, servers_at
from restore_drill.backups.physical.chains import chained
from restore_drill.backups.physical.in_folder import VERSION, folder_backup
from restore_drill.backups.physical.in_tars import BASE_TAR, tar_backup, tars_in
from restore_drill.backups.physical.live import refuse_live
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.pgbackrest import repository_backup
from restore_drill.backups.physical.repositories import label_in, places_at, the_place
from restore_drill.core.errors import UsageError
from restore_drill.core.units import some

PARTS = ("data", "pg_data")
"""Folders of the data directory in a backup of Barman's and pgBackRest's."""


def physical_at(path: Path, *, set_name: str = "") -> Physical | None:
    """The physical backup at `path`, None where none lies there; OSError where it is closed.

    `set_name` is the backup of a repository that is meant, empty for the newest. Raises UsageError
    for the folder of a server that runs, for a set that is not there, and where several servers
    have backups there; BackupFault for a repository without backups; CouldNotRun where the program
    that reads a repository is missing, or cannot read it.
    """
    if not path.is_dir():
        return None
    if path.name in PARTS and (found := in_repository(path, set_name)):
        return found
    if (path / VERSION).is_file() and (path / "global").is_dir():
        refuse_live(path)
        return chained(folder_backup(path))
    if BASE_TAR in tars_in(path):
        return chained(tar_backup(path))
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

"""What kind of physical backup lies at a path, by its content."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.physical.chains import chained
from restore_drill.backups.physical.in_folder import VERSION, folder_backup
from restore_drill.backups.physical.in_tars import BASE_TAR, tar_backup, tars_in
from restore_drill.backups.physical.model import Physical


def physical_at(path: Path, *, set_name: str = "") -> Physical | None:
    """The physical backup at `path`, None where none lies there; OSError where it is closed.

    `set_name` is the backup of a repository that is meant, empty for the newest.
    """
    del set_name
    if not path.is_dir():
        return None
    if (path / VERSION).is_file() and (path / "global").is_dir():
        return chained(folder_backup(path))
    return chained(tar_backup(path)) if BASE_TAR in tars_in(path) else None

"""The archive that a recovery takes its WAL from: what the user names, else the backup's own."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.physical.model import Physical
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.model import Archive

BESIDE = ("incoming", "streaming")
"""Folders of a Barman server beside `wals`, with WAL that it has received and not yet sorted in."""


def archive_of(physical: Physical, wal: Path | None) -> Archive | None:
    """The archive at `wal`, which the user has named, else the one of `physical` itself.

    None where there is none: all WAL that it has lies in the backup. CouldNotRun where it cannot
    be read.
    """
    path = wal or physical.archive
    if path is None:
        return None
    return Folder(path, *(path.parent / each for each in BESIDE if path.name == "wals"))

"""The one backup that is named: nothing is chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from restore_drill.backups.folders import place_of_what
from restore_drill.backups.foreign import PLAIN_FOLDER
from restore_drill.backups.formats import Kind
from restore_drill.backups.model import Backup
from restore_drill.backups.wraps.keys import keyring
from restore_drill.config.remote import state_folder_of
from restore_drill.config.settings import Settings
from restore_drill.core.access import cannot_read, closed_in
from restore_drill.selection.candidate import Candidate, as_backup, look_at
from restore_drill.selection.considered import considered
from restore_drill.selection.in_full import in_full, named_repository
from restore_drill.selection.links import followed
from restore_drill.selection.sources import folder_at
from restore_drill.selection.unsealed import opened


def one_named(settings: Settings) -> Backup:
    """The backup that --backup names, else the criteria file: there is nothing to choose."""
    if settings.backup is None:
        return named_repository(settings)
    return named_backup(settings.backup, settings)


def named_backup(path: Path, settings: Settings) -> Backup:
    """Backup that --backup names; in BACKUP_PATH it is of the series that it has there."""
    zone = settings.criteria.timezone
    if state_folder_of(path):
        from restore_drill.selection.fetching import fetch_named  # noqa: PLC0415 - few are elsewhere

        fetch_named(path)
    if closed_in(path):
        raise cannot_read("the backup", path)
    try:
        target = followed(path)
        below = depth_of(target, settings.backup_path)
        candidate = opened(in_its_place(look_at(target, zone, below)), zone)
    except OSError as error:
        raise cannot_read("the backup", path, error) from None
    links = (f"{path.name} is a link to {target}",) if target != path else ()
    alone = considered([[candidate]], candidate, [[candidate]], "")
    found = as_backup(candidate, remarks=(*links, *keyring().new_notes()), considered=alone)
    return in_full(candidate, found, settings)


def depth_of(path: Path, backup_path: Path | None) -> int:
    """So many folders `path` lies below the place in `backup_path`; 0 where it lies elsewhere."""
    place = folder_at(backup_path).place if backup_path else None
    if place is None or not path.is_relative_to(place):
        return 0
    return len(path.relative_to(place).parts) - 1


def in_its_place(candidate: Candidate) -> Candidate:
    """`candidate`; a file that is no backup as the part of a physical one that it may be."""
    path = candidate.path
    if not candidate.kind.unrecognised or path.is_dir():
        return candidate
    whole = place_of_what(path)
    if whole is PLAIN_FOLDER:
        return candidate
    return replace(candidate, kind=Kind("", "", whole.what, whole.remedy_at(path)))

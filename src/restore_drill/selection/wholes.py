"""Folders that are a physical backup each, and repositories, which are one for each server."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

from restore_drill.backups.foreign import REPOSITORY, Foreign
from restore_drill.backups.physical.quick import is_unfinished, wholes_at
from restore_drill.core.errors import BackupFault
from restore_drill.selection.candidate import look_at
from restore_drill.selection.listing import IN_PROGRESS, Listing, newest_first


def wholes_of(path: Path, what: Foreign, listing: Listing) -> list[Path]:
    """The physical backups at `path`; one that is not finished is noted in `listing`."""
    found = wholes_at(path)
    if what.cause == REPOSITORY:
        listing.repositories += found
    if found and (is_unfinished(path) or path.name.lower().endswith(IN_PROGRESS)):
        listing.passed_over.append(f"{path.name}: still being written, or left unfinished")
        listing.unfinished.append(path)
    return found


def list_whole(folder: Path, zone: tzinfo) -> Listing | None:
    """The physical backups that `folder` itself is; None where it is none."""
    listing = Listing()
    for path in wholes_at(folder):
        try:
            listing.found.append(look_at(path, zone))
        except BackupFault as error:
            listing.passed_over.append(f"{path.name}: {error.what}")
    listing.found = newest_first(listing.found)
    return listing if listing.found or listing.passed_over else None

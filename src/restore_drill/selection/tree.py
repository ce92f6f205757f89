"""What lies in a folder of backups and in the folders below it: per day, per database."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

from restore_drill.backups.folders import part_of_what
from restore_drill.backups.foreign import OF_OTHERS, WAL
from restore_drill.backups.formats import ROLES_BY_NAME
from restore_drill.selection.candidate import Candidate
from restore_drill.selection.flat import list_flat
from restore_drill.selection.links import drop_links
from restore_drill.selection.listing import (
    DUMPS,
    Listing,
    Sought,
    entries_of,
    newest_first,
)

DEEPEST = 4
"""So many folders below the place of the backups are searched: `shop/2026/11/27/`."""
REDIS = "redis"
"""Folder in the place of the backups that is for those of Redis: no dump is looked for in it."""
NO_REDIS_BACKUP = (
    "whether a backup of Redis can be restored",
    "there is none: it lies in the redis/ folder of BACKUP_PATH, or --redis-backup names it",
)
"""What is not checked without one, and why."""
SIGNS = (
    "PG_VERSION", "backup", "archive", "base", "backup.info", "base.tar", "base.tar.gz",
    "base.tar.zst", "base.tar.lz4",
)  # fmt: skip
"""What lies in a physical backup or a repository, one of it at least."""
MOST_FOLDERS = 2000
"""So many folders are searched: BACKUP_PATH may name the whole disk."""


def candidates_in(folder: Path, zone: tzinfo) -> tuple[list[Candidate], list[str]]:
    """All backups in `folder`, newest first, and a line on each thing passed over."""
    listing = list_folder(folder, zone)
    return listing.found, listing.passed_over


def list_folder(folder: Path, zone: tzinfo, sought: Sought = DUMPS) -> Listing:
    """What lies in `folder`; where no backup lies directly in it, in the folders below it.

    A data directory of PostgreSQL is one thing, and so is a backup set: no file in it is a backup.
    """
    is_part = part_of_what(folder) is not None
    if sought is DUMPS and (is_part or may_be_physical(folder)):
        from restore_drill.selection.wholes import list_whole  # noqa: PLC0415 - few places are one

        if (whole := list_whole(folder, zone)) is not None:
            return whole
    if (folder / "PG_VERSION").is_file() or is_part:
        return Listing()
    listing = list_flat(folder, zone, sought=sought)
    if sought is DUMPS:
        listing.folders = [each for each in listing.folders if each.name != REDIS]
    if any(map(is_of_databases, listing.found)):
        pass_over_below(listing, listing.folders, folder, sought)
        note_wal(listing)
        return listing
    search_below(listing, zone, sought)
    note_wal(listing)
    drop_links(listing)
    listing.found = newest_first(listing.found)
    return listing


def is_of_databases(candidate: Candidate) -> bool:
    """Whether a backup is not only of roles, or of another system: such lie above all others."""
    return not candidate.kind.unrecognised.startswith((*OF_OTHERS, ROLES_BY_NAME))


def note_wal(listing: Listing) -> None:
    """Note folders of nothing but WAL, where there is no physical backup that they are for."""
    if not any(each.is_physical for each in listing.found):
        listing.passed_over += [f"{each.name}: {WAL.what}" for each in listing.wal]


def may_be_physical(folder: Path) -> bool:
    """Whether `folder` itself may be a physical backup or a repository, by few names in it."""
    return any((folder / name).exists() for name in SIGNS)


def search_below(listing: Listing, zone: tzinfo, sought: Sought) -> None:
    """Add to `listing` what lies in its folders, level by level, a line on each thing passed over.

    Where backups lie directly in one, the folders in that are not searched.
    """
    level, number = [(each, each.name) for each in listing.folders], 0
    for below in range(1, DEEPEST + 1):
        deeper: list[tuple[Path, str]] = []
        for at, (folder, name) in enumerate(level):
            number += 1
            if number > MOST_FOLDERS:
                listing.passed_over.append(
                    f"{name}: a folder, not searched: there are too many folders"
                )
                listing.deeper += [each for each, _ in (*level[at:], *deeper)]
                return
            inner = list_flat(folder, zone, below, sought)
            listing.found += inner.found
            listing.passed_over += [f"{name}/{line}" for line in inner.passed_over]
            listing.remarks += inner.remarks
            listing.copies += inner.copies
            listing.others += inner.others
            listing.closed += inner.closed
            listing.wal += inner.wal
            listing.unseen += inner.unseen
            if any(map(is_of_databases, inner.found)):
                pass_over_below(listing, inner.folders, folder, sought)
            else:
                deeper += [(each, f"{name}/{each.name}") for each in inner.folders]
        level = deeper
    listing.deeper += [folder for folder, _ in level]


def pass_over_below(listing: Listing, folders: list[Path], around: Path, sought: Sought) -> None:
    """Note that `folders` were not searched, since backups lie directly `around` them.

    What holds none directly is of no interest, in a line.
    """
    listing.unsearched += folders
    listing.passed_over += [
        f"{below.name}: a folder, not searched because backups lie directly in {around}"
        for below in folders
        if any(map(sought.claims, entries_of(below)))
    ]

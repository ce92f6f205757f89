"""A plain base backup, a cold copy or a snapshot, or one of Barman's is copied."""

from __future__ import annotations

import os
from pathlib import Path

from restore_drill.backups.physical.files import WAL_DIR
from restore_drill.backups.physical.model import BARMAN, Physical
from restore_drill.core.errors import BackupFault
from restore_drill.recovery.copies.beside import copy_all
from restore_drill.recovery.copies.listing import Listing, Place, entries_of, is_below
from restore_drill.recovery.copies.room import ask_for
from restore_drill.recovery.copies.work import Work, damaged, refused


def copy_folder(physical: Physical, work: Work) -> None:
    """Copy the data directory of `physical` and its tablespaces; nothing of it is written.

    No link is kept: tablespaces come into the private folder, pg_wal into the data directory.
    """
    root = os.path.realpath(physical.newest.path)
    listing = Listing(root)
    listing.add(Place(root, str(work.data)))
    if listing.wal:
        add_wal(listing, work)
    spaces = {oid: place_of(physical, oid, listing) for oid in spaces_of(physical, listing)}
    for oid, place in spaces.items():
        add_space(physical, listing, place, str(work.tablespaces / str(oid)))
    work.told += listing.told
    ask_for(listing.size, work)
    work.total = listing.size
    if spaces:
        work.make_folder(work.tablespaces)
    copy_all(listing, work)
    for oid in spaces:
        work.link_tablespace(oid)


def add_wal(listing: Listing, work: Work) -> None:
    """List what lies behind the link of pg_wal."""
    real = os.path.realpath(listing.wal)
    if not Path(real).is_dir():
        raise missing("pg_wal", listing.wal)
    must_belong(WAL_DIR, real, listing, is_proved=False)
    listing.add(Place(real, f"{work.data}/{WAL_DIR}", WAL_DIR))


def spaces_of(physical: Physical, listing: Listing) -> list[int]:
    """OIDs of the tablespaces that lie outside of the data directory."""
    # The location of one that lies in the data directory itself is relative.
    named = {each.oid for each in physical.tablespaces if each.location.startswith("/")}
    return sorted((named | set(listing.spaces)) - listing.in_place)


def place_of(physical: Physical, oid: int, listing: Listing) -> str:
    """Where the files of a tablespace lie in the backup; BackupFault where that is not in it."""
    what = f"tablespace {oid}"
    if physical.kind == BARMAN:
        place = Path(listing.root).with_name(str(oid))
        if place.is_symlink() or not place.is_dir():
            raise missing(what, str(place))
        return str(place)
    link = listing.spaces.get(oid)
    if link is None:
        location = next(each.location for each in physical.tablespaces if each.oid == oid)
        raise damaged(f"the backup lacks {what}", f"there is no pg_tblspc/{oid} ({location})")
    real = os.path.realpath(link)
    if not Path(real).is_dir():
        raise missing(what, link)
    must_belong(what, real, listing, is_proved=physical.newest.manifest is not None)
    return real


def add_space(physical: Physical, listing: Listing, place: str, target: str) -> None:
    """List the folder of the server's version in a tablespace: others may have theirs beside it."""
    begin = f"PG_{physical.major}_"
    found = [each for each in entries_of(place) if each.name.startswith(begin)
             and each.is_dir(follow_symlinks=False)]  # fmt: skip
    if not found:
        raise damaged(
            f"{place} is no tablespace of PostgreSQL {physical.major}",
            f"it holds no folder {begin}...",
        )
    listing.add_empty(place, target)
    for each in found:
        listing.add(Place(each.path, f"{target}/{each.name}", each.name))


def must_belong(what: str, real: str, listing: Listing, *, is_proved: bool) -> None:
    """Refuse what lies elsewhere: a link of a copied directory often leads to the live server's.

    A manifest proves each file of a tablespace, wherever it lies. Else it must lie beside the
    backup, and that nothing proves it is told.
    """
    if is_proved or is_below(real, listing.root):
        return
    if not is_below(real, str(Path(listing.root).parent)):
        raise refused(
            f"{what} is not in the backup: its link leads to {real}",
            "that lies outside of the backup's folder, and may be the running server's own",
        )
    listing.told.append((what, f"it lies in {real}, and nothing proves that it is this backup's"))


def missing(what: str, link: str) -> BackupFault:
    """The error for a part of a backup that a link leads to, and that is not there."""
    path = Path(link)
    to = path.readlink() if path.is_symlink() else path
    return damaged(f"the backup lacks {what}", f"{to} is not there")

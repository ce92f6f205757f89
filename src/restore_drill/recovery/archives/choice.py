"""The archive that a recovery takes its WAL from: what the user names, else the backup's own."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.physical.model import PGBACKREST, Physical
from restore_drill.backups.physical.repositories import place_of, places_at, the_place
from restore_drill.config.options import usage_error
from restore_drill.config.place_kinds import KINDS
from restore_drill.config.remote import Place, mirror_around, place_given, places
from restore_drill.places.store import open_store
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.archives.pgbackrest import Repository
from restore_drill.recovery.archives.remote import Remote
from restore_drill.recovery.model import Archive

WALS, BESIDE = "wals", ("incoming", "streaming")
"""Folders of a Barman server: its WAL, and what it has received and not yet sorted in."""


def archive_of(physical: Physical, wal: Path | str | None) -> Archive | None:
    """The archive at `wal`, which the user has named, else the one of `physical` itself.

    `wal` is a path of this machine, the mirror of a place or its URL. None where there is no
    archive: all WAL that there is lies in the backup. CouldNotRun where it cannot be read.
    """
    if isinstance(wal, str):
        given = place_given(wal, "wal", is_file=False)
        return remote(given[0], given[0].prefix) if given else at(Path(wal), physical.system)
    if wal is None and physical.kind == PGBACKREST:
        return Repository(place_of(physical), physical.system)
    path = wal or physical.archive
    return at(path, physical.system) if path else None


def at(path: Path, system: str) -> Archive:
    """The archive at `path`, of a server with the identifier `system`.

    In the mirror of a place lie files of the right names alone: it is read there itself.
    """
    if root := mirror_around(path):
        below = "".join(f"{each}/" for each in path.relative_to(root).parts)
        return remote(places[root], places[root].prefix + below)
    if repositories := places_at(path.absolute()):
        return Repository(the_place(repositories, path), system)
    path = path / WALS if (path / WALS).is_dir() else path
    return Folder(path, *(path.parent / each for each in BESIDE if path.name == WALS))


def remote(place: Place, prefix: str) -> Remote:
    """The archive in the folder `prefix` of `place`."""
    if KINDS[place.scheme].is_link:
        what = f"names a link ({place.url}), and an archive must be listed"
        raise usage_error("wal", what, "name a folder, a bucket or an sftp:// URL")
    return Remote(open_store(place), prefix)

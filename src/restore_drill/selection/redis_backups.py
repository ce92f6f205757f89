"""Which backup of Redis is drilled: the one that is named, else the newest in `redis/`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path

from restore_drill.backups.cache import use_cache
from restore_drill.backups.choice import NotDrilled
from restore_drill.backups.foreign import Foreign
from restore_drill.backups.model import Backup, Head
from restore_drill.backups.origins import modified_at
from restore_drill.backups.streams import READ_ERRORS, open_plain
from restore_drill.backups.wraps.keys import use_keys
from restore_drill.config.choice import Choice
from restore_drill.config.remote import mirror_around, state_folder_of
from restore_drill.config.settings import Settings
from restore_drill.core.access import cannot_read, closed_in
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.header import HEAD_BYTES, header_in
from restore_drill.redis.backup.kinds import (
    RDB,
    claims_to_be_redis,
    is_aof_folder,
    recognise_redis,
)
from restore_drill.selection.candidate import (
    ITSELF,
    MODIFIED,
    Candidate,
    as_backup,
    candidate_of,
    size_of,
)
from restore_drill.selection.groups import Shelf
from restore_drill.selection.links import followed
from restore_drill.selection.listing import Listing, Sought
from restore_drill.selection.schemes import in_series
from restore_drill.selection.select import select_backup
from restore_drill.selection.sources import folder_at
from restore_drill.selection.tree import REDIS, list_folder
from restore_drill.selection.unsealed import locked

OTHER = "drill it too: a drill with --redis-backup (DRILL_REDIS_BACKUP)"
Chosen = Backup | BackupFault | CouldNotRun
"""Backup of Redis that is drilled, or why there is none."""


def look_at_redis(path: Path, zone: tzinfo, below: int = 0, *, decrypt: bool = False) -> Candidate:
    """What the file or folder at `path` is; OSError where it cannot be read."""
    kind = recognise_redis(path, decrypt=decrypt)
    head = Head(dumped_at=None)
    if kind.format == RDB:
        with suppress(*READ_ERRORS, CouldNotRun), open_plain(path, kind.compression) as stream:
            header = header_in(stream.read(HEAD_BYTES))
            head = Head(dumped_at=header.made_at if header else None)
    found = candidate_of(path, zone, kind, head, size=size_of(path), below=below)
    found = replace(found, time_source=found.time_source.replace(ITSELF, "the file itself"))
    if path.is_dir() and found.time_source == MODIFIED:
        newest = max((modified_at(each) for each in path.iterdir() if each.is_file()), default=None)
        return replace(found, taken_at=newest or found.taken_at)
    return found


SOUGHT = Sought(look_at_redis, is_aof_folder, claims_to_be_redis)


@dataclass(frozen=True)
class RedisFolder:
    """A `Source`: a folder of backups of Redis."""

    place: Path
    instead: Foreign | None = None

    def listing(self, zone: tzinfo) -> Listing:
        """Files and folders of files in it, or in the folders below it."""
        if is_aof_folder(self.place):
            return Listing(found=[look_at_redis(self.place, zone)])
        return list_folder(self.place, zone, SOUGHT)

    def fetch(self, candidate: Candidate) -> Candidate:
        """It is here, or begins to come; by what it holds, also where that is encrypted."""
        if mirror_around(self.place):
            from restore_drill.selection.fetching import fetch  # noqa: PLC0415 - few are elsewhere

            fetch(candidate.path)
        return unsealed(candidate)


def unsealed(candidate: Candidate) -> Candidate:
    """`candidate` by what it holds, where that was not known; `locked`, for want of a key."""
    if not candidate.size or candidate.kind.format or candidate.kind.unrecognised:
        return candidate
    path, zone = candidate.path, candidate.taken_at.tzinfo or UTC
    try:
        found = look_at_redis(path, zone, candidate.below, decrypt=True)
    except CouldNotRun as error:
        return locked(candidate, error)
    when = candidate.taken_at if found.time_source == MODIFIED else found.taken_at
    return replace(found, key=candidate.series, taken_at=when)


def redis_folder(settings: Settings) -> Path | None:
    """The folder of backups of Redis in BACKUP_PATH, None without one; CouldNotRun."""
    if settings.backup_path is None:
        return None
    folder_at(settings.backup_path)  # which lists a place of another machine
    below = settings.backup_path / REDIS
    return below if below.is_dir() else None


def choose_redis(settings: Settings) -> Chosen | None:
    """Backup of Redis that `settings` name, or why it is none; None where there is no such thing.

    Nothing but the newest of the newest series is drilled: --pick and --series are about dumps.
    """
    try:
        if settings.redis_backup is not None:
            return named_redis(settings.redis_backup, settings)
        place = redis_folder(settings)
        return None if place is None else newest_in(place, settings)
    except (BackupFault, CouldNotRun) as error:
        return error
    except OSError as error:
        place = settings.redis_backup or settings.backup_path or Path()
        return cannot_read("the backup of Redis", Path(error.filename or place), error)


def newest_in(place: Path, settings: Settings) -> Backup:
    """The newest backup in the folder `place`; BackupFault where there is none."""
    source = RedisFolder(place)
    listing = source.listing(settings.criteria.timezone)
    if not listing.found and not listing.closed:
        raise BackupFault(
            f"no backup of Redis lies in {as_written(place)}",
            checked=[f"{as_written(place)}/: RDB files and AOF folders", *listing.passed_over],
            remedy=remedy_for("redis_backup", "none"),
        )
    criteria = replace(settings.criteria, backup_name="", backup_series=(), backup_every=None)
    plain = replace(settings, backup=None, choice=Choice(), criteria=criteria)
    shelf = Shelf(source, listing, in_series(listing.found))
    found = select_backup(plain, shelf)
    others = (NotDrilled(each.what, OTHER) for each in found.not_drilled)
    return replace(found, not_drilled=tuple(others))


def named_redis(path: Path, settings: Settings) -> Backup:
    """Backup that --redis-backup names; of a folder of several the newest."""
    use_keys(settings.decrypt)
    use_cache(settings.leaves.cache, settings.leaves.cache_size)
    if state_folder_of(path):
        from restore_drill.selection.fetching import find_named  # noqa: PLC0415 - few are elsewhere

        find_named(path)
    if closed_in(path):
        raise cannot_read("the backup of Redis", path)
    path = followed(path)
    if path.is_dir() and not is_aof_folder(path):
        return newest_in(path, settings)  # a folder of backups, or a data directory
    candidate = look_at_redis(path, settings.criteria.timezone)
    return as_backup(RedisFolder(path.parent).fetch(candidate))

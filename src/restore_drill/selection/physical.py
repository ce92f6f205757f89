"""Physical backups among others: which folders are one, of when, of which series."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from restore_drill.backups.formats import Kind
from restore_drill.backups.model import Backup, Head
from restore_drill.backups.physical.barman import unfinished_after
from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import BARMAN, COLD, PGBACKREST, Physical
from restore_drill.backups.physical.pgbackrest import repository_backup
from restore_drill.backups.physical.repositories import place_named
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.config.recovery import Recovery
from restore_drill.core.access import cannot_read
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.mirrors import as_written
from restore_drill.selection.candidate import Candidate, as_backup, candidate_of, size_of

LOOK = 2.0
"""Seconds for which a backup in a list is read through; the one that is chosen is read further."""
SOURCES = {PGBACKREST: "pgBackRest", BARMAN: "Barman"}
"""Who says when a backup was taken."""
ITS_LABEL = "its backup_label"
ITS_END = "the backup itself"


def physical_candidate(path: Path, kind: Kind, zone: tzinfo, below: int = 0) -> Candidate:
    """The physical backup at `path` among others.

    One that cannot be read, for want of a program or of the right to, is `locked`: an older one
    does not become the newest by that. BackupFault for a repository that holds no backup.
    """
    try:
        physical = physical_at(path, seconds=LOOK)
    except (CouldNotRun, OSError) as error:
        found = candidate_of(path, zone, kind, Head(), size=max(size_of(path), 1), below=below)
        return replace(found, locked=as_error(error, path))
    found = candidate_of(path, zone, kind, Head(), size=1, below=below)
    return found if physical is None else described_by(found, physical)


def as_error(error: CouldNotRun | OSError, path: Path) -> CouldNotRun:
    """Why the backup at `path` cannot be read."""
    if isinstance(error, CouldNotRun):
        return error
    return cannot_read("the backup", Path(error.filename or path), error)


def described_by(candidate: Candidate, physical: Physical) -> Candidate:
    """`candidate` with the size and, where it is proved, the time of `physical`."""
    size = max(physical.size + physical.wal_size, 1)
    when = physical.stopped_at or physical.started_at
    if when is None:
        return replace(candidate, size=size)
    source = SOURCES.get(physical.kind, ITS_END if physical.stopped_at else ITS_LABEL)
    return replace(candidate, size=size, taken_at=when, time_source=source, named=None)


def with_physical(candidate: Candidate, backup: Backup, asked: Recovery) -> Backup:
    """`backup`, which `candidate` has become, with all that is known of the physical one.

    The set of a repository that is meant, and whether copies are atomic, `asked` says.
    Raises what `physical_at` does; one that is `locked` is left to whoever reads it.
    """
    if candidate.locked is not None:
        return backup
    physical = physical_at(candidate.path, set_name=asked.label)
    if physical is None:
        return backup
    is_atomic = asked.is_atomic and physical.kind == COLD and not physical.shut_down
    physical = replace(physical, is_atomic=is_atomic)
    return completed(candidate, backup, physical, asked)


def completed(candidate: Candidate, backup: Backup, physical: Physical, asked: Recovery) -> Backup:
    """`backup`, which `candidate` has become, with what is known of `physical`."""
    found = described_by(candidate, physical)
    earlier = backup.earlier_sizes or physical.earlier_sizes
    return replace(
        backup,
        size=found.size,
        taken_at=found.taken_at,
        time_source=found.time_source,
        earlier_sizes=earlier,
        remarks=(*backup.remarks, *remarks_on(physical, asked)),
        physical=physical,
    )


def repository_named(named: PgBackRest, asked: Recovery) -> Backup:
    """The set that is `asked` for, else the newest, of the repository that the criteria file names.

    It may lie in a bucket that pgBackRest alone reaches. Raises what `repository_backup` does.
    """
    candidate, physical = set_named(named, asked)
    return completed(candidate, as_backup(candidate), physical, asked)


def set_named(named: PgBackRest, asked: Recovery) -> tuple[Candidate, Physical]:
    """The same, among others, and all that is known of it."""
    place = place_named(named)
    physical = repository_backup(place, place.backups, asked.label)
    when = physical.stopped_at or datetime.now(UTC)
    candidate = Candidate(place.backups, Kind(PGBACKREST), 1, when, SOURCES[PGBACKREST])
    return described_by(candidate, physical), physical


def remarks_on(physical: Physical, asked: Recovery) -> list[str]:
    """What is worth a line: an archive that was found, the chain, a set that is not the newest."""
    found = []
    if asked.wal is not None:
        found.append(f"WAL archive: {as_written(asked.wal)}")
    elif physical.archive is not None and physical.kind not in SOURCES:
        found.append(f"WAL archive beside the backup: {as_written(physical.archive)}")
    if len(physical.members) > 1:
        names = ", ".join(each.path.name for each in physical.members)
        found.append(f"it is restored from {len(physical.members)} backups: {names}")
    if physical.kind == BARMAN and (newer := unfinished_after(physical)):
        found.append(f"Barman has not finished backups newer than {physical.name}: {newer}")
    if physical.sets and physical.name != physical.sets[-1]:
        found.append(f"the set {physical.name} was asked for; the newest is {physical.sets[-1]}")
    return found

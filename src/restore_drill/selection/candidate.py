"""One thing that is, or claims to be, a backup: what it is, of when, of which series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.choice import Among, Considered, NotDrilled, Picked, Schedule
from restore_drill.backups.formats import FORMATS, PHYSICAL, SUFFIXES, Kind, recognise
from restore_drill.backups.model import Backup, Head
from restore_drill.backups.origins import modified_at
from restore_drill.backups.streams import READ_ERRORS
from restore_drill.core.below import files_below
from restore_drill.core.errors import CouldNotRun
from restore_drill.selection.series import series_of
from restore_drill.selection.times import Named, named_by_folders, named_in, time_in_name

BY_NAME = "its name"
MODIFIED = "the file's modification time"
ITSELF = "the dump itself"


@dataclass(frozen=True)
class Candidate:
    """One thing that is or claims to be a backup; `size` in bytes, `database` where it says so.

    `named` is the time or day in its name, None where it has none or cannot be right. `locked` says
    why an encrypted one could not be decrypted. It lies so many folders `below` the place of the
    backups; `key` is its series, where that is not of its name alone.
    """

    path: Path
    kind: Kind
    size: int
    taken_at: datetime
    time_source: str
    database: str = ""
    named: Named | None = None
    locked: CouldNotRun | None = None
    below: int = 0
    key: str = ""

    @property
    def is_backup(self) -> bool:
        """Whether it has content that the drill knows how to restore."""
        return self.size > 0 and not self.kind.unrecognised

    @property
    def is_physical(self) -> bool:
        """Whether it is a physical backup."""
        return self.kind.format in PHYSICAL

    @property
    def is_sealed(self) -> bool:
        """Whether it is encrypted, and not yet decrypted."""
        return bool(self.kind.sealed)

    @property
    def why_not(self) -> str:
        """Why it is not a backup; empty where it is one."""
        return self.kind.unrecognised if self.size else "zero bytes"

    @cached_property
    def scheme(self) -> str:
        """Series of its name, see `series_of`."""
        return series_of(self.path, self.below, is_physical=self.is_physical)

    @property
    def series(self) -> str:
        """Its series, see `in_series`."""
        return self.key or self.scheme

    @property
    def label(self) -> str:
        """Its name, with the folders below the place of the backups: `2026-11-20/db.dump`."""
        return "/".join(self.path.parts[-1 - self.below :])

    @property
    def order(self) -> tuple[datetime, str]:
        """What makes a newer one greater: never a file's own time against the days in names."""
        when = self.named.clamped(self.taken_at) if self.named else self.taken_at
        return when, self.label


Series = list[Candidate]
"""Backups that differ by their time alone, newest first."""
APART = timedelta(hours=27)
"""By how much a name may be later than the dump's own time, which is written without its zone."""


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a directory; of one on its way what its place says."""
    if arrival := arrivals.get(path):
        return arrival.whole_size
    if path.is_dir():
        return sum(stat.st_size for _, stat in files_below(path))
    return path.stat().st_size


def claims_to_be_backup(path: Path) -> bool:
    """Whether the name says backup, so that garbage in it must not be passed over."""
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def look_at(path: Path, zone: tzinfo, below: int = 0) -> Candidate:
    """What the file or directory at `path` is; OSError where it cannot be read."""
    kind = recognise(path)
    if kind.format in PHYSICAL:
        from restore_drill.selection import physical  # noqa: PLC0415 - few are

        return physical.physical_candidate(path, kind, zone, below)
    head = recorded_head(path, kind)
    return candidate_of(path, zone, kind, head, size=size_of(path), below=below)


def closed_candidate(path: Path, zone: tzinfo, below: int) -> Candidate:
    """What may be a backup at `path`, which this user may not read."""
    kind = Kind("", "", "cannot be read: Permission denied")
    return candidate_of(path, zone, kind, Head(), size=0, below=below)


def candidate_of(
    path: Path, zone: tzinfo, kind: Kind, recorded: Head, *, size: int, below: int = 0
) -> Candidate:
    """Candidate of this `kind`, by its name, the times of its file and what is `recorded`."""
    named, made = named_in(path.name, zone), recorded.dumped_at
    modified = modified_at(path)
    is_renamed = named and made and named.start - made > APART and named.start <= datetime.now(UTC)
    times = (
        (None, "") if is_renamed else time_of(named, BY_NAME, made, modified),
        (made, ITSELF + (", its name says later" if is_renamed else "")),
        time_of(named_by_folders(path, below, zone), "its folder's name", made, modified),
        (modified, MODIFIED),
    )
    when, source = next((when, source) for when, source in times if when is not None)
    named = None if is_renamed else named
    return Candidate(path, kind, size, when, source, recorded.database, named, below=below)


def time_of(
    named: Named | None, words: str, made: datetime | None, modified: datetime
) -> tuple[datetime | None, str]:
    """Time that a name says, and what says it: the name alone, in `words`, if it says a time.

    Of a day the file's own times are taken where they fall on it, the modification time first,
    which has a zone; a copy may have set it anew, then the backup is as young as it can be.
    """
    if named is None or named.end is None:
        return (named.start if named else None), words
    for when, source in ((modified, MODIFIED), (made, ITSELF)):
        if when is not None and named.may_be(when):
            return when, f"{source}, on the day in {words}"
    youngest = max(named.start, min(named.end, datetime.now(UTC)))
    return youngest, f"the end of the day in {words}"


def recorded_head(path: Path, kind: Kind) -> Head:
    """Time and database that the backup itself has, as far as that is cheap to know."""
    try:
        if kind.format:
            is_dated = time_in_name(path.name, UTC) is not None
            return FORMATS[kind.format].quick_head(path, kind.compression, is_dated=is_dated)
    except (*READ_ERRORS, CouldNotRun):
        pass
    return Head()


def as_backup(
    candidate: Candidate,
    *,
    passed_over: tuple[str, ...] = (),
    earlier_sizes: tuple[int, ...] = (),
    not_drilled: tuple[NotDrilled, ...] = (),
    remarks: tuple[str, ...] = (),
    considered: tuple[Considered, ...] = (),
    picked: Picked | None = None,
    schedule: Schedule | None = None,
) -> Backup:
    """`candidate` as the backup of this run."""
    return Backup(
        path=candidate.path,
        format=candidate.kind.format,
        compression=candidate.kind.compression,
        size=candidate.size,
        taken_at=candidate.taken_at,
        time_source=candidate.time_source,
        unrecognised=candidate.kind.unrecognised,
        sealed=candidate.kind.sealed,
        locked=candidate.locked,
        remedy=candidate.kind.remedy,
        passed_over=passed_over,
        earlier_sizes=earlier_sizes,
        not_drilled=not_drilled,
        remarks=remarks,
        considered=considered,
        among=Among(candidate.series, candidate.label, candidate.below, picked, schedule),
    )

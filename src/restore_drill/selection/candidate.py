"""One thing that is, or claims to be, a backup: what it is, of when, of which series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path

from restore_drill.backups.formats import FORMATS, SUFFIXES, Kind, recognise
from restore_drill.backups.model import Backup, Head, NotDrilled
from restore_drill.backups.streams import READ_ERRORS
from restore_drill.selection.series import series_of
from restore_drill.selection.times import time_in_name

BY_NAME = "its name"


@dataclass(frozen=True)
class Candidate:
    """One thing that is or claims to be a backup; `size` in bytes, `database` where it says so."""

    path: Path
    kind: Kind
    size: int
    taken_at: datetime
    time_source: str
    database: str = ""

    @property
    def is_backup(self) -> bool:
        """Whether it has content that the drill knows how to restore."""
        return self.size > 0 and not self.kind.unrecognised

    @property
    def why_not(self) -> str:
        """Why it is not a backup; empty where it is one."""
        return self.kind.unrecognised if self.size else "zero bytes"

    @cached_property
    def series(self) -> str:
        """Series of its name, see `series_of`."""
        return series_of(self.path)

    @property
    def order(self) -> tuple[datetime, str]:
        """What makes a newer one greater."""
        return self.taken_at, self.path.name


APART = timedelta(hours=27)
"""By how much a name may be later than the dump's own time, which is written without its zone."""


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a directory."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def claims_to_be_backup(path: Path) -> bool:
    """Whether the name says backup, so that garbage in it must not be passed over."""
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def look_at(path: Path, zone: tzinfo) -> Candidate:
    """What the file or directory at `path` is; OSError where it cannot be read."""
    kind = recognise(path)
    recorded = recorded_head(path, kind)
    named, made = time_in_name(path.name, zone), recorded.dumped_at
    is_renamed = named and made and named - made > APART and named <= datetime.now(UTC)
    times = (
        (None if is_renamed else named, BY_NAME),
        (made, "the dump itself" + (", its name says later" if is_renamed else "")),
        (time_in_name(path.parent.name, zone), "its folder's name"),
        (datetime.fromtimestamp(path.stat().st_mtime, UTC), "the file's modification time"),
    )
    when, source = next((when, source) for when, source in times if when is not None)
    return Candidate(path, kind, size_of(path), when, source, recorded.database)


def recorded_head(path: Path, kind: Kind) -> Head:
    """Time and database that the backup itself has, as far as that is cheap to know."""
    try:
        if kind.format:
            is_dated = time_in_name(path.name, UTC) is not None
            return FORMATS[kind.format].quick_head(path, kind.compression, is_dated=is_dated)
    except READ_ERRORS:
        pass
    return Head()


def as_backup(
    candidate: Candidate,
    *,
    passed_over: tuple[str, ...] = (),
    earlier_sizes: tuple[int, ...] = (),
    not_drilled: tuple[NotDrilled, ...] = (),
    remarks: tuple[str, ...] = (),
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
        remedy=candidate.kind.remedy,
        passed_over=passed_over,
        earlier_sizes=earlier_sizes,
        not_drilled=not_drilled,
        remarks=remarks,
    )

"""What a physical backup says of itself: kind, server, where recovery begins and may end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from restore_drill.core.units import show_count

BASE, CHAIN, COLD, PGBACKREST, BARMAN = (
    "pg_basebackup", "incremental", "data directory", "pgBackRest", "Barman",
)  # fmt: skip
KINDS = (BASE, CHAIN, COLD, PGBACKREST, BARMAN)
"""Kinds of physical backups, as `Backup.format` has them."""
SHARED = (PGBACKREST, BARMAN)
"""Those that lie in a repository, where WAL and other backups come every minute."""
PLAIN, TAR, REPOSITORY = "plain", "tar", "repository"


class Tablespace(NamedTuple):
    """A tablespace of the source: its `oid`, its `name` where that is known, its path there."""

    oid: int
    name: str
    location: str


@dataclass(frozen=True)
class Member:
    """One backup of a chain, the full one first; a single backup is a chain of one.

    `path` is its folder, `manifest` its backup_manifest, None where it has none.
    """

    path: Path
    manifest: Path | None = None
    form: str = PLAIN


@dataclass(frozen=True)
class Physical:
    """A physical backup: one set of files that a server can be started from, with its WAL.

    `path` is what --backup names: a folder of a backup, or a repository with many `sets`, of which
    `name` is the one that is meant. `major` is the server's, `system` its system identifier (empty
    where it is not said). `start_lsn` is where recovery begins, `stop_lsn` where the backup is
    consistent, both in bytes; `first_segment` the name of the first WAL segment that it needs.
    `started_at` and `stopped_at` are the times of the backup, None where nothing proves them.
    `has_label` is False where no backup_label lies in it: it is whole only if the server was
    `shut_down`. `has_wal` says that the WAL up to its end lies in it. `archive` is where its own
    tool keeps the WAL, or a folder of WAL that was found beside it, else None. `size` is the bytes
    of its files, decompressed, without the WAL in it, which has `wal_size`: a copy takes both.
    `earlier_sizes` are those of the sets before it, the newest first, where a repository has them.
    """

    kind: str
    path: Path
    members: tuple[Member, ...]
    major: int
    name: str = ""
    sets: tuple[str, ...] = ()
    system: str = ""
    timeline: int = 1
    start_lsn: int | None = None
    stop_lsn: int | None = None
    first_segment: str = ""
    segment_size: int = 1 << 24
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    tablespaces: tuple[Tablespace, ...] = ()
    compression: str = ""
    has_label: bool = True
    shut_down: bool = False
    is_atomic: bool = False
    has_old_manifest: bool = False
    from_standby: bool = False
    has_wal: bool = False
    archive: Path | None = None
    size: int = 0
    wal_size: int = 0
    version: str = ""
    earlier_sizes: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """What it is: `pg_basebackup, tar, gzip`; `pgBackRest, 20261130-012912F`."""
        number = len(self.members)
        chain = show_count(number, "backup") if self.kind == CHAIN else ""
        form = "" if self.newest.form == REPOSITORY else self.newest.form
        parts = (self.kind, self.name, chain, form if self.kind != COLD else "", self.compression)
        return ", ".join(filter(None, parts))

    @property
    def newest(self) -> Member:
        """Last member of the chain, which is what is restored."""
        return self.members[-1]


def lsn_of(text: str) -> int:
    """Bytes of an LSN as PostgreSQL writes it: `1/A0` is 4294967456; ValueError for no LSN."""
    high, _, low = text.strip().partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def show_lsn(lsn: int) -> str:
    """An LSN as PostgreSQL writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"

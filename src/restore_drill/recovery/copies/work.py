"""One copy of a backup: where it goes, whom its files belong to, how far it is."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.backups.physical.files import LINKS
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import progress_line, show_bytes
from restore_drill.recovery.model import Note
from restore_drill.servers.bounds import MOST_FILES_SPARED, MOST_SPARED, SPARED, files_left
from restore_drill.servers.launcher import Launcher

TABLESPACES = "tablespaces"
"""Folder beside the data directory that has the tablespaces, by their OIDs."""

TICK = 0.2
"""Seconds between two reports."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ITS_NAMES = (errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG)


class Over(Exception):
    """Something else of the same copy has failed."""


@dataclass
class Work:
    """A copy on its way into the empty directory `data`, whose files belong to the server.

    `total` bytes are to be copied, 0 where that is not known. `told` is what could not be checked
    or was left out, each with the reason; `warnings` are what a recovery by hand would meet.
    """

    data: Path
    launcher: Launcher
    progress: Note
    total: int = 0
    doing: str = "copying the backup"
    done: int = 0
    told: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    by_kernel: bool = True
    least: int = 0
    least_files: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)
    owner: int = field(default_factory=threading.get_ident)
    began: float = field(default_factory=time.monotonic)
    shown: float = field(default_factory=time.monotonic)

    @property
    def tablespaces(self) -> Path:
        """Folder that has the tablespaces."""
        return self.data.parent / TABLESPACES

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.began

    def __post_init__(self) -> None:
        """Look how much of the disk is to stay free."""
        self.least = int(min(MOST_SPARED, shutil.disk_usage(self.data).free * SPARED))
        self.least_files = min(MOST_FILES_SPARED, int(files_left(self.data) * SPARED))

    def count(self, size: int) -> None:
        """Note that so many bytes more are copied; now and then report it, and look at the disk.

        It ends what is copied beside once something has failed.
        """
        with self.lock:
            self.done += size
        if self.is_over.is_set():
            raise Over
        if threading.get_ident() != self.owner:
            return
        now = time.monotonic()
        if now - self.shown >= TICK:
            self.shown = now
            self.progress(self.line(now - self.began))
            free = shutil.disk_usage(self.data).free
            if free < self.least or files_left(self.data) < self.least_files:
                raise self.no_room(f"{show_bytes(free)} are left")

    def line(self, seconds: float) -> str:
        """How far it is after so many `seconds`."""
        return progress_line(self.doing, self.done, max(self.total, self.done), seconds)

    def no_room(self, why: str) -> CouldNotRun:
        """The error for a disk on which the copy has no room."""
        return CouldNotRun(
            f"not enough space for a copy of the backup in {self.data.parent}: {why}",
            checked=[self.line(0)],
            remedy=remedy_for("machine", "disk_full"),
        )

    def make_folder(self, path: Path | str) -> None:
        """Make the folder `path` for the server alone."""
        self.count(0)
        with Writing(self):
            os.mkdir(path, 0o700)  # noqa: PTH102 - names need not be text
            if self.launcher.account is not None:
                os.chown(path, *self.launcher.account)

    def make_file(self, path: Path | str) -> int:
        """Make the file `path` for the server alone; a descriptor to write it by."""
        self.count(0)
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with Writing(self):
            descriptor = os.open(path, how, 0o600)
            if self.launcher.account is not None:
                os.fchown(descriptor, *self.launcher.account)
        return descriptor

    def link_tablespace(self, oid: int) -> Path:
        """Make the link in the data directory for a tablespace; the path that it leads to."""
        place = self.tablespaces / str(oid)
        link = self.data / LINKS / str(oid)
        with Writing(self):
            link.symlink_to(place)
            self.launcher.own(link)
        return place


@dataclass
class Writing:
    """Turns what fails in it into CouldNotRun: the drill's own disk is no damage of a backup."""

    work: Work

    def __enter__(self) -> None:
        """Begin to write."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Explain what failed."""
        if isinstance(error, OSError) and error.errno in ITS_NAMES:
            raise refused("a name in the backup cannot be", f"{error.filename!r}: {error.strerror}")
        if isinstance(error, OSError) and error.errno in FULL:
            raise self.work.no_room(error.strerror or str(error)) from None
        if isinstance(error, OSError):
            raise CouldNotRun(
                f"a copy of the backup cannot be written to {self.work.data.parent}",
                checked=[str(error)],
                remedy=remedy_for("machine", "no_temporary_folder"),
            ) from None


def damaged(what: str, why: str) -> BackupFault:
    """The error for a part of a backup that cannot be read."""
    return BackupFault(what, checked=[why] if why else [], remedy=remedy_for("copying", "damaged"))


def refused(what: str, why: str) -> BackupFault:
    """The error for something in a backup that no server writes there."""
    return BackupFault(what, checked=[why], remedy=remedy_for("copying", "not_its_own"))

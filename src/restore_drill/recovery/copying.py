"""The files of a physical backup, of any kind, come into a data directory of the drill."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.model import REPOSITORY, TAR, Physical
from restore_drill.recovery.copies.chain import MEMBERS, combine
from restore_drill.recovery.copies.folder import copy_folder
from restore_drill.recovery.copies.missing import make_missing
from restore_drill.recovery.copies.repository import restore_set
from restore_drill.recovery.copies.tars import unpack_tars
from restore_drill.recovery.copies.work import Work
from restore_drill.recovery.model import Note
from restore_drill.recovery.shell import build_of
from restore_drill.servers import untrusted
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.launcher import choose_launcher

LABEL = "backup_label"


class Copied(NamedTuple):
    """What a copy came to: `bytes` in so many `seconds`.

    `had_label` says whether a backup_label came with it. `told` is what could not be checked, or
    was left out, each with the reason; `warnings` are what a recovery by hand would meet.
    """

    bytes: int
    seconds: float
    had_label: bool
    told: list[tuple[str, str]]
    warnings: list[str]


def copy_backup(
    physical: Physical, data: Path, progress: Note, *, binaries: Binaries | None = None
) -> Copied:
    """Bring the files of `physical` into the empty directory `data`, for the server to start there.

    Its tablespaces come into `tablespaces` beside it. Nothing of the backup is written, moved or
    given to another owner. A chain is combined by the tool of `binaries`, which are looked for
    where none are given. BackupFault where the backup is damaged or not whole, CouldNotRun where
    our means fail; nothing is left of the copy then.
    """
    data.mkdir(mode=0o700, exist_ok=True)
    work = Work(data, choose_launcher(), progress)
    work.launcher.own(data)
    try:
        copy(physical, work, binaries)
        make_missing(work)
    except BaseException:
        remove(work)
        raise
    has_label = os.path.lexists(data / LABEL)
    return Copied(work.done, work.seconds, has_label, work.told, work.warnings)


def copy(physical: Physical, work: Work, binaries: Binaries | None) -> None:
    """Copy by the way of this kind of backup."""
    form = physical.newest.form
    if form == REPOSITORY:
        restore_set(physical, work)
    elif len(physical.members) > 1:
        combine(physical, work, binaries or build_of(physical.major, work.progress))
    elif form == TAR:
        unpack_tars(physical, work)
    else:
        copy_folder(physical, work)


def remove(work: Work) -> None:
    """Remove all that was copied so far."""
    untrusted.empty(work.data, but="")
    for each in (work.tablespaces, work.data.parent / MEMBERS):
        untrusted.remove_tree(each)

"""The files of a physical backup, of any kind, come into a data directory of the drill."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.model import PLAIN, TAR, Physical
from restore_drill.recovery.copies.folder import copy_folder
from restore_drill.recovery.copies.tars import unpack_tars
from restore_drill.recovery.copies.work import Work
from restore_drill.recovery.model import Note
from restore_drill.servers import untrusted
from restore_drill.servers.launcher import choose_launcher

COPIERS: dict[str, Callable[[Physical, Work], None]] = {PLAIN: copy_folder, TAR: unpack_tars}
"""By the form of a backup's files."""
LABEL = "backup_label"


class Copied(NamedTuple):
    """What a copy came to: `bytes` in so many `seconds`.

    `had_label` says whether a backup_label came with it. `told` is what could not be checked, or
    was left out, each with the reason.
    """

    bytes: int
    seconds: float
    had_label: bool
    told: list[tuple[str, str]]


def copy_backup(physical: Physical, data: Path, progress: Note) -> Copied:
    """Bring the files of `physical` into the empty directory `data`, for the server to start there.

    Its tablespaces come into `tablespaces` beside it. Nothing of the backup is written, moved or
    given to another owner. BackupFault where it is damaged or not whole, CouldNotRun where our
    means fail; nothing is left of it then.
    """
    data.mkdir(mode=0o700, exist_ok=True)
    work = Work(data, choose_launcher(), progress)
    work.launcher.own(data)
    try:
        COPIERS[physical.newest.form](physical, work)
    except BaseException:
        remove(work)
        raise
    has_label = os.path.lexists(data / LABEL)
    return Copied(work.done, work.seconds, has_label, work.told)


def remove(work: Work) -> None:
    """Remove all that was copied so far."""
    untrusted.empty(work.data, but="")
    untrusted.remove_tree(work.tablespaces)

"""A backup set of a pgBackRest repository is restored by pgBackRest, into our own folder."""

from __future__ import annotations

import os

from restore_drill.backups.physical.files import LINKS, sizes
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.programs import Done
from restore_drill.backups.physical.repositories import command_for, place_of
from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.recovery.copies.room import ask_for
from restore_drill.recovery.copies.tools import own_all, run_tool, said
from restore_drill.recovery.copies.work import Work

DAMAGED = (26, 28, 29, 55, 95)
"""Exit codes for a checksum, a file or format that is not as it must be, a file that is missing."""
RESET = ("tablespace-map", "link-map", "recovery-option", "db-include", "db-exclude")
"""Options of a user's own configuration that would bring files, or settings, to elsewhere."""


def restore_set(physical: Physical, work: Work) -> None:
    """Restore the set of `physical`; BackupFault where a file of it is damaged or missing.

    Whatever the user's configuration says, nothing is written but in the drill's own folder, and
    nothing is retried: a damaged file took 40 s to be named.
    """
    work.doing = "restoring from the repository"
    work.total = physical.size
    ask_for(work.total, work)
    work.make_folder(work.tablespaces)
    done = run_tool(command(physical, work), work)
    if done.code:
        raise failed(physical, done)
    name_spaces(work)
    own_all(work)
    work.done = sum(sizes(work.data))


def command(physical: Physical, work: Work) -> list[str]:
    """How pgBackRest is called."""
    private = work.data.parent
    options = [
        f"--pg1-path={work.data}",
        f"--set={physical.name}",
        f"--tablespace-map-all={work.tablespaces}",
        f"--lock-path={private}/lock",
        f"--process-max={min(os.cpu_count() or 1, 8)}",
        "--type=none",
        "--job-retry=0",
        "--no-delta",
        "--no-link-all",
    ]
    return [*command_for(physical), *options, *(f"--reset-{each}" for each in RESET), "restore"]


def name_spaces(work: Work) -> None:
    """Name the folders of tablespaces by their OIDs: pgBackRest names them as they are called."""
    for link in sorted((work.data / LINKS).iterdir()):
        if link.is_symlink() and link.name.isdigit():
            place = work.tablespaces / link.name
            link.resolve().rename(place)
            link.unlink()
            link.symlink_to(place)


def failed(physical: Physical, done: Done) -> DrillError:
    """The error for a restore that failed."""
    place = place_of(physical)
    what = f"pgbackrest cannot restore the backup {physical.name} of the stanza {place.stanza}"
    if done.code in DAMAGED:
        return BackupFault(
            f"{what}: a file of it is damaged or missing",
            checked=said(done),
            remedy=remedy_for("copying", "damaged"),
        )
    return CouldNotRun(
        what, checked=said(done), remedy=remedy_for("physical", "info", stanza=place.stanza)
    )

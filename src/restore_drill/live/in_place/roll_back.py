"""A live database is restored from its snapshot, and compared with what it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote

import psycopg

from restore_drill.backups.model import Backup, Contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.refusals import way_back, what_it_holds
from restore_drill.manifest.settle import differences
from restore_drill.restore.archive import restore_archive
from restore_drill.servers.model import Target

Progress = Callable[[str], None]


class NotRolledBack(CouldNotRun):
    """A rollback that failed, for `reasons`: the live database is not what it was."""

    reasons: Sequence[str] = ()


def roll_back(
    hold: Hold,
    backup: Backup,
    contents: Contents,
    fingerprint: Fingerprint,
    *,
    jobs: int,
    opening: str,
    progress: Progress,
    keep: Callable[[int], None],
) -> None:
    """Restore the snapshot `backup` into the held database, and compare it with `fingerprint`.

    `keep` is called before each reset with the number of resets so far, to save what others may
    have written. NotRolledBack, with what the database holds now, where that is not proved, and
    with the statements that open it by hand (`opening`).
    """
    target, reasons = hold.target, ["nothing was tried"]
    # Once more over one connection: several may get in each other's way.
    for number, each in enumerate(dict.fromkeys((jobs, 1))):
        try:
            keep(number)
            hold.reset_again()
            done = restore_archive(target, backup, len(contents.entries), each, progress)
            found = differences(fingerprint, read_fingerprint(target, jobs, progress), target)
            reasons = [line for error in done.errors for line in error.lines()] + found
        except psycopg.Error as error:
            reasons = [error_text(error)]
        except CouldNotRun as error:
            reasons = str(error).splitlines()
        if not reasons:
            return
    raise not_rolled_back(target, backup.path, reasons, opening)


def not_rolled_back(
    target: Target, snapshot: Path, reasons: list[str], opening: str
) -> NotRolledBack:
    """What the live database holds after a rollback that failed, and how to go on."""
    name = target.conninfo["dbname"]
    error = NotRolledBack(
        f"{target.description} was NOT rolled back: {what_it_holds(target)}",
        checked=reasons,
        remedy=remedy_for(
            "rollback",
            "failed",
            path=quote(str(snapshot)),
            name=quote(name),
            rollback=way_back(snapshot, name),
            opening=opening,
        ),
    )
    error.reasons = reasons
    return error

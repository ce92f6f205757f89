"""Copies that a program of PostgreSQL or pgBackRest makes: run to their end, their files ours."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

from restore_drill.backups.physical.programs import LONG, Done, run_program
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.recovery.copies.work import Work

MOST_SAID = 6
"""So many of a program's last lines are repeated."""
FULL = "No space left on device"
CLOSED = "Permission denied"


def run_tool(command: Sequence[str], work: Work) -> Done:
    """Run a program that writes the copy of `work`, and show how far it is.

    It runs as the one who has started the drill: the server's account may not read backups.
    CouldNotRun where the disk is full, or the backup closed to us.
    """
    done = run_program(command, limit=LONG, waiting=watching(work), cwd=work.data.parent)
    if done.code and FULL in done.output:
        raise work.no_room(FULL)
    if done.code and CLOSED in done.output:
        raise CouldNotRun(
            "the backup cannot be read",
            checked=said(done),
            remedy=remedy_for("machine", "unreadable"),
        )
    return done


def watching(work: Work) -> Callable[[float], None]:
    """What is done while a program writes: the disk shows how far it is."""
    before = shutil.disk_usage(work.data).free

    def look(_seconds: float) -> None:
        taken = before - shutil.disk_usage(work.data).free
        work.count(max(0, min(taken, work.total) - work.done))

    return look


def said(done: Done) -> list[str]:
    """The end of what a program has said, and its exit status."""
    return [*done.lines[-MOST_SAID:], f"exit status {done.code}"]


def own_all(work: Work) -> None:
    """Give all that was copied to the server's account: by one program, for many files."""
    if work.launcher.account is None:
        return
    user, group = work.launcher.account
    places = [str(each) for each in (work.data, work.tablespaces) if each.is_dir()]
    done = run_program(["chown", "-R", "-h", f"{user}:{group}", *places], limit=LONG)
    if done.code:
        raise CouldNotRun(
            f"the copy of the backup cannot be given to the account {user}",
            checked=said(done),
            remedy=remedy_for("target", "no_account"),
        )

"""The ways to restore a backup: the fastest that fits it, or as a runbook does."""

from __future__ import annotations

from collections.abc import Callable

from restore_drill.backups.model import Backup, Contents
from restore_drill.restore.archive import restore_archive
from restore_drill.restore.at_once import may_go_at_once, restore_at_once
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import restore_plain
from restore_drill.restore.split import may_split, restore_split
from restore_drill.servers.model import Target


def restore(
    target: Target, backup: Backup, contents: Contents, jobs: int, progress: Callable[[str], None]
) -> Restoration:
    """Restore `backup` into the empty database of `target`, the fastest way that fits it."""
    # pg_restore sends large objects as they are: as SQL they are twice as long, and slow to read.
    if not (backup.is_archive and contents.large_objects):
        if may_split(target, backup, contents, jobs):
            return restore_split(target, backup, contents, jobs=jobs, progress=progress)
        if may_go_at_once(target, contents):
            done = restore_at_once(target, backup, contents, progress)
            if done is not None:
                return done
    return restore_by_hand(target, backup, contents, jobs, progress)


def restore_by_hand(
    target: Target, backup: Backup, contents: Contents, jobs: int, progress: Callable[[str], None]
) -> Restoration:
    """Restore `backup` into the empty database of `target` as a runbook does.

    An archive goes through pg_restore with `jobs`, a plain dump statement by statement, and so
    does all on a live server: it may speak any language, and pg_restore leaves SQLSTATEs out.
    """
    if backup.is_archive and target.throwaway:
        return restore_archive(target, backup, len(contents.entries), jobs, progress)
    return restore_plain(target, backup, contents, progress)

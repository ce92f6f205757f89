"""How backups are restored: RESTORERS holds a `Restorer` for each of their formats."""

from __future__ import annotations

from typing import Protocol

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.physical.model import KINDS
from restore_drill.restore.archive import restore_archive
from restore_drill.restore.model import Progress, Restoration
from restore_drill.restore.physical import PhysicalRestorer
from restore_drill.restore.plain import restore_plain
from restore_drill.restore.preflight import check_collations, check_databases, check_extensions
from restore_drill.restore.single_transaction import (
    may_use_one_transaction,
    restore_in_one_transaction,
)
from restore_drill.restore.split import may_split, restore_split
from restore_drill.restore.transactions import may_use_transactions, restore_in_transactions
from restore_drill.servers.model import Target


class Restorer(Protocol):
    """How backups of one format get into a database."""

    def check(self, target: Target, contents: Contents) -> None:
        """CouldNotRun where the server of `target` lacks what `contents` need; changes nothing."""

    def restore(
        self, target: Target, backup: Backup, contents: Contents, jobs: int, progress: Progress
    ) -> Restoration:
        """Restore `backup` into the empty database of `target`, the fastest way that fits it."""

    def restore_as_runbook(
        self, target: Target, backup: Backup, contents: Contents, jobs: int, progress: Progress
    ) -> Restoration:
        """Restore `backup` into the empty database of `target` as a runbook does."""


class SqlRestorer:
    """A `Restorer`: SQL text goes to the server statement by statement, or quicker."""

    def check(self, target: Target, contents: Contents) -> None:
        """One database, and a server with its extensions and collations."""
        check_databases(contents)
        check_extensions(target, contents.extensions)
        check_collations(target, contents)

    def restore(
        self, target: Target, backup: Backup, contents: Contents, jobs: int, progress: Progress
    ) -> Restoration:
        """Over several connections, or in transactions of many statements."""
        if may_split(target, backup, contents, jobs):
            return restore_split(target, backup, contents, jobs=jobs, progress=progress)
        if may_use_transactions(target, contents):
            return restore_in_transactions(target, backup, contents, jobs=jobs, progress=progress)
        if may_use_one_transaction(target, contents):
            done = restore_in_one_transaction(target, backup, contents, progress)
            if done is not None:
                return done
        return self.restore_as_runbook(target, backup, contents, jobs, progress)

    def restore_as_runbook(
        self, target: Target, backup: Backup, contents: Contents, jobs: int, progress: Progress
    ) -> Restoration:
        """Statement by statement."""
        del jobs
        return restore_plain(target, backup, contents, progress)


class ArchiveRestorer(SqlRestorer):
    """A `Restorer`: pg_restore makes SQL of an archive, or restores it itself."""

    def restore_as_runbook(
        self, target: Target, backup: Backup, contents: Contents, jobs: int, progress: Progress
    ) -> Restoration:
        """By pg_restore with `jobs`.

        On a live server statement by statement: it may speak any language, and pg_restore leaves
        SQLSTATEs out.
        """
        if not target.throwaway:
            return super().restore_as_runbook(target, backup, contents, jobs, progress)
        return restore_archive(target, backup, len(contents.entries), jobs, progress)


RESTORERS: dict[str, Restorer] = {
    "plain": SqlRestorer(),
    "custom": ArchiveRestorer(),
    "directory": ArchiveRestorer(),
    "tar": ArchiveRestorer(),
    **dict.fromkeys(KINDS, PhysicalRestorer()),
}
"""By `Backup.format`."""


def restorer_of(backup: Backup) -> Restorer:
    """What restores `backup`."""
    return RESTORERS[backup.format]

"""How a physical backup gets back: its files become a server of their own, which recovers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from restore_drill.backups.model import Backup, Contents
from restore_drill.restore.model import Progress, Restoration
from restore_drill.servers.model import Target

if TYPE_CHECKING:
    from restore_drill.recovery.model import Recovered


class PhysicalRestorer:
    """A `Restorer`: the target is no server yet, and knows how to become one."""

    def check(self, target: Target, contents: Contents) -> None:
        """Nothing is lacking: the server was chosen for its files."""

    def restore(
        self, target: Target, backup: Backup, contents: Contents, jobs: int, progress: Progress
    ) -> Restoration:
        """Copy the files, start a server on the copy, and let it recover to where it is to end."""
        del backup, contents, jobs
        assert target.recover is not None
        recovered = cast("Recovered", target.recover(progress))
        return Restoration(
            recovered.server.target(recovered.database),
            way=f"recovered to {recovered.goal.text}",
            recovered=recovered,
        )

    def restore_as_runbook(
        self, target: Target, backup: Backup, contents: Contents, jobs: int, progress: Progress
    ) -> Restoration:
        """Do the same: a runbook has no other way."""
        return self.restore(target, backup, contents, jobs, progress)

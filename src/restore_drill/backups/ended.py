"""How a program that reads a backup has ended: what is no fault of the backup."""

from __future__ import annotations

import signal

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM)
"""The kernel sends them where memory runs out, or people do; a crash may be the backup's fault."""


def refuse_killed(name: str, code: int) -> None:
    """CouldNotRun where the exit `code` of the program `name` says that somebody ended it."""
    if -code in FROM_OUTSIDE:
        raise CouldNotRun(
            f"{name} was ended by signal {-code} while it read the backup",
            remedy=remedy_for("machine", "killed"),
        )

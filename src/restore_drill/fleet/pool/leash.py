"""Whether the drill that runs in this thread of a Dask worker is still wanted.

The client says so by `interrupt`; a task that Dask has released (its client has gone, or the
scheduler is another one by now) and a worker that is closing say it by their state.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from restore_drill.fleet.model import CANCELLED

CLOSING = ("closing", "closed", "failed")
UNWANTED = ("cancelled", "resumed", "released", "forgotten")

interrupted: set[str] = set()
"""Keys of the tasks of this process that are to end."""


def interrupt(keys: list[str]) -> None:
    """End the tasks with these keys on this worker, as soon as they look; for `Client.run`."""
    interrupted.update(keys)


@dataclass(frozen=True)
class Leash:
    """What holds a drill: the `worker` and the `key` of its task; None and empty without Dask."""

    worker: Any = None
    key: str = ""

    def why_to_end(self) -> str:
        """Why the drill is to end, empty while it is wanted; may be asked from any thread."""
        if self.key in interrupted:
            return CANCELLED
        if self.worker is None:
            return ""
        if self.worker.status.name in CLOSING:
            return "its worker was closed, or has lost the scheduler"
        task = self.worker.state.tasks.get(self.key)
        if task is None or task.state in UNWANTED:
            return "nobody waits for it any more"
        return ""

    def let_go(self) -> None:
        """The drill has ended."""
        interrupted.discard(self.key)


def own_leash() -> Leash:
    """What holds the drill of this thread; nothing outside of a Dask worker."""
    distributed: Any = sys.modules.get("distributed")
    if distributed is None:
        return Leash()
    try:
        worker = distributed.get_worker()
    except ValueError:
        return Leash()
    return Leash(worker, str(worker.get_current_task()))

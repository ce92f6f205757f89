"""Whether a backup is still the one that was read: a job may write it anew while it is drilled."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.arrival import arrivals
from restore_drill.core.below import files_below
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

Mark = tuple[tuple[str, int, int], ...]
"""Name, bytes and time (nanoseconds since 1970) of each file; empty where that is not known."""


def mark_of(path: Path) -> Mark:
    """What tells the backup at `path` from another one that is written to its place.

    One that is on its way from another machine has none: its version is pinned there.
    """
    if path in arrivals:
        return ()
    try:
        stats = files_below(path) if path.is_dir() else [(path.name, path.stat())]
    except OSError:
        return ()
    return tuple((name, each.st_size, each.st_mtime_ns) for name, each in stats)


def refuse_changed(
    path: Path, mark: Mark, what: str = "drilled: what was restored is not what was read"
) -> None:
    """CouldNotRun where the backup at `path` does not have its `mark` any more.

    One that is gone was restored before: it is another matter that it is kept no longer. `what`
    was being done with it.
    """
    now = mark_of(path)
    if mark and now and now != mark:
        raise CouldNotRun(
            f"{path} changed while it was being {what}",
            remedy=remedy_for("places", "changed"),
        )

"""Whether a backup is still the one that was read: a job may write it anew while it is drilled."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.origins import origins
from restore_drill.core.below import files_below
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

Mark = tuple[tuple[str, int, int], ...]
"""Name, bytes and time (nanoseconds since 1970) of each file; empty where that is not known."""
NOTES = ".drill/"
"""What drills note lies below it, also where the place of the backups is a backup itself."""


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


def stamp_of(path: Path) -> str | None:
    """What tells the backup at `path` from another one at its place, days later; None if unknown.

    Of a folder it is of all files in it, of one on another machine of what that says. Names, sizes
    and times go into it, and no content: a list of many backups is to be quick.
    """
    try:
        facts = facts_below(path) if path.is_dir() else [facts_of("", path)]
    except OSError:
        return None
    return sha256(repr(facts).encode()).hexdigest()[:16]


def names_below(folder: Path) -> list[str]:
    """Names of the files in `folder`, those of our notes left out; OSError."""
    return [name for name, _ in files_below(folder) if not name.startswith(NOTES)]


def facts_below(folder: Path) -> list[tuple[str, int, str]]:
    """Facts of each file in `folder`; of one on another machine of what lies there alone."""
    names = names_below(folder)
    there = [name for name in names if folder / name in origins] if origins else []
    return [facts_of(name, folder / name) for name in there or names]


def facts_of(name: str, path: Path) -> tuple[str, int, str]:
    """`name`, bytes and time of change of the file at `path`; OSError.

    Of one in a bucket in whole seconds: lists may have parts of them, answers by HTTP never do.
    """
    if origin := origins.get(path):
        return name, origin.size, origin.modified.isoformat(timespec="seconds")
    status = path.stat()
    return name, status.st_size, str(status.st_mtime_ns)

"""The role file that goes with a backup: named by the user, else found beside it."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

from restore_drill.backups.model import Backup
from restore_drill.backups.role_file import is_role_file
from restore_drill.core.units import show_duration, show_time
from restore_drill.selection.candidate import Candidate, look_at


def role_file_beside(backup: Backup, zone: tzinfo) -> Candidate | None:
    """The role file in the folder of `backup` that is nearest to it in time; None without one.

    It is known by its content, whatever its name. Of two that are equally near it is the newer.
    """
    folder = backup.path.absolute().parent
    try:
        files = [path for path in folder.iterdir() if is_role_file(path)]
        found = [look_at(path, zone) for path in files]
    except OSError:
        return None  # the folder of a backup that is a link, say: then it has to be named
    return min(found, key=lambda each: distance(each, backup), default=None)


def distance(candidate: Candidate, backup: Backup) -> tuple[float, float, str]:
    """How far a role file is from `backup`: what sorts the nearest first."""
    when = candidate.taken_at
    apart = abs((when - backup.taken_at).total_seconds())
    return apart, -when.timestamp(), candidate.path.name


def line_on(path: Path, candidate: Candidate | None, backup: Backup) -> str:
    """Which role file is used; `candidate` is None where the user has named it."""
    if candidate is None:
        return f"role file: {path} (--globals)"
    seconds = (candidate.taken_at - backup.taken_at).total_seconds()
    apart = show_duration(abs(seconds)) + (" after" if seconds > 0 else " before")
    when = show_time(candidate.taken_at)
    return f"role file: {path.name}, beside the backup, of {when}, {apart} the backup"

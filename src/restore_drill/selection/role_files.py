"""The role file that goes with a backup: named by the user, else found beside it."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

from restore_drill.backups.layers import HEAD_BYTES
from restore_drill.backups.model import Backup
from restore_drill.backups.plaindump.frame import CLUSTER_START
from restore_drill.backups.role_file import is_role_file
from restore_drill.backups.streams import READ_ERRORS, open_plain
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


def is_of_a_whole_server(backup: Backup) -> bool:
    """Whether `backup` is pg_dumpall's whole output, whose roles stand before its databases."""
    if backup.format != "plain":
        return False
    try:
        with open_plain(backup.path, backup.compression) as stream:
            return f"-- {CLUSTER_START}\n".encode() in stream.read(HEAD_BYTES)
    except READ_ERRORS:
        return False


def role_file_for(backup: Backup, named: Path | None, zone: tzinfo) -> tuple[Path, str] | None:
    """The role file to make roles from, `named` by the user or found, and a line on it.

    None where there is none.
    """
    if named is not None:
        return named, f"role file: {named} (--globals)"
    if is_of_a_whole_server(backup):
        return backup.path, "role file: the backup itself, which is pg_dumpall's"
    beside = role_file_beside(backup, zone)
    return (beside.path, line_on(beside, backup)) if beside else None


def distance(candidate: Candidate, backup: Backup) -> tuple[float, float, str]:
    """How far a role file is from `backup`: what sorts the nearest first."""
    when = candidate.taken_at
    apart = abs((when - backup.taken_at).total_seconds())
    return apart, -when.timestamp(), candidate.path.name


def line_on(candidate: Candidate, backup: Backup) -> str:
    """Which role file is used that was found beside the backup."""
    seconds = (candidate.taken_at - backup.taken_at).total_seconds()
    apart = show_duration(abs(seconds)) + (" after" if seconds > 0 else " before")
    when = show_time(candidate.taken_at)
    return f"role file: {candidate.path.name}, beside the backup, of {when}, {apart} the backup"

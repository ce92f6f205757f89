"""Which histories a command is about."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from restore_drill.config.options import usage_error
from restore_drill.config.remote import BUCKETS, mirror_around, places, remote_history
from restore_drill.config.settings import Settings
from restore_drill.config.values import HISTORY
from restore_drill.core.errors import UsageError
from restore_drill.core.mirrors import as_written
from restore_drill.watch.history import history_path


def histories_of(given: Sequence[str], settings: Settings) -> list[Path]:
    """Paths of the histories that are `given`, else of the one that the settings name.

    Raises UsageError where there is none.
    """
    if given:
        return [named(each) for each in dict.fromkeys(given)]
    path = history_path(settings)
    if path is None:
        raise usage_error(
            "backup_path",
            "is unset, and so is --history (DRILL_HISTORY)",
            "set one: drills are recorded in the folder of the backups, or in the named file",
        )
    return [path]


def hint_of_first(settings: Settings, path: Path) -> str:
    """What is said once, where backups lie elsewhere and their history does not; else empty."""
    place = settings.backup_path and mirror_around(settings.backup_path)
    is_elsewhere = place is not None or settings.backup_path is None
    if not is_elsewhere or settings.history is not None or path.exists():
        return ""
    is_bucket = place is not None and places[place].scheme in BUCKETS
    url = shlex.quote(as_written(place)) if place and is_bucket else "s3://bucket/folder"
    where = "the bucket" if is_bucket else "a bucket"
    return (
        f"Recorded on this machine only, in {path.parent}; to keep the history in {where}, set "
        f"DRILL_HISTORY={url}"
    )


def named(text: str) -> Path:
    """The history at `text`: a file, a folder of backups, the folder that it lies in, a bucket."""
    if there := remote_history(text):
        return there
    if "://" in text:
        raise UsageError(
            "a history is a file or lies at s3://bucket/folder, but another URL was given "
            "(not shown: it may hold a password); copy it here, and name the copy"
        )
    path = Path(text).expanduser()
    places = [path / ".drill" / HISTORY, path / HISTORY] if path.is_dir() else [path]
    found = next((each for each in places if each.is_file()), None)
    if found is None:
        checked = ", ".join(map(str, places))
        raise UsageError(f"there is no history at {text} (checked: {checked}); check the path")
    return found

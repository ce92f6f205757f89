"""What to drill in place of a backup that fails: the last that passed, or the one before it."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path

from restore_drill.backups.model import Backup
from restore_drill.config.remote import mirror_around
from restore_drill.config.settings import Settings
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import DrillError, UsageError
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_time
from restore_drill.selection.candidate import Series
from restore_drill.selection.groups import Shelf, name_of, shelf_of
from restore_drill.watch.kept import ledger_of


def older_than(backup: Backup, settings: Settings) -> list[str]:
    """Commands that drill an older backup of the series of `backup`; none where there is none.

    The last that passed by the history; without one the backup before it, and a search.
    """
    named = settings.backup_path
    settings = replace(settings, backup=None, backup_path=place_of(backup, settings))
    try:
        shelf, ledger = shelf_of(settings), ledger_of(settings)
    except (OSError, DrillError, UsageError):
        return remedy_for("older", "unknown")
    series, at = stand_of(backup, shelf)
    older = [each for each in series[at + 1 :] if each.is_backup]
    if not older:
        return []
    passed = [(one, when) for one in older if (when := ledger.proved(one))]
    if passed:
        last, when = passed[0]
        path, day = as_written(last.path), show_time(when)
        steps = remedy_for("older", "proved", path=path, when=day)
    else:
        steps = remedy_for("older", "unproved", path=as_written(older[0].path))
    if len(older) > 1 and not (passed and passed[0][0] is older[0]):
        steps += remedy_for("older", "search", bisect=search_in(shelf, series, settings, named))
    return steps


def place_of(backup: Backup, settings: Settings) -> Path:
    """Where `backup` lies among others: BACKUP_PATH, else its own folder."""
    path, place = backup.path, settings.backup_path
    if place and path.is_relative_to(place):
        return place
    return mirror_around(path) or path.parent


def stand_of(backup: Backup, shelf: Shelf) -> tuple[Series, int]:
    """The series of `backup` on the `shelf`, and where it stands there; an empty one without it."""
    for series in shelf.series:
        for at, each in enumerate(series):
            if each.path == backup.path:
                return series, at
    return [], 0


def search_in(shelf: Shelf, series: Series, settings: Settings, named: Path | None) -> str:
    """The command that searches `series` for the newest backup that passes.

    It names BACKUP_PATH unless an .env file does: a shell may have set it for one command.
    """
    series_option = f" --series {shlex.quote(name_of(series))}" if shelf.live[1:] else ""
    place = as_written(settings.backup_path or Path())
    is_in_file = settings.backup_path == named and "BACKUP_PATH" not in os.environ
    variable = "" if is_in_file else f"BACKUP_PATH={shlex.quote(place)} "
    return f"{variable}{COMMAND} bisect{series_option}"

"""Backups that are kept, and those of them that no drill has proved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import NamedTuple

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.units import show_count, some
from restore_drill.selection.sources import source_of
from restore_drill.watch.history import Drill

MOST_NAMED = 3


class Kept(NamedTuple):
    """Names of the backups that are kept, newest first, and of those that no drill has proved."""

    names: list[str]
    unproved: list[str]

    @property
    def line(self) -> str:
        """`14 backups kept; no drill has proved 2 of them: a.dump, b.dump`."""
        kept = f"{show_count(len(self.names), 'backup')} kept"
        if not self.unproved:
            return f"{kept}; a drill has proved each of them"
        named = some(self.unproved, MOST_NAMED)
        return f"{kept}; no drill has proved {len(self.unproved)} of them: {named}"


def kept_backups(folder: Path, drills: Sequence[Drill], zone: tzinfo) -> Kept | None:
    """Backups in `folder`, against `drills`; None where there are none, or it cannot be read.

    A backup was proved when one of its series and name has passed since it was taken.
    """
    try:
        found = source_of(folder).listing(zone).found
    except (OSError, CouldNotRun):
        return None
    passed: dict[tuple[str | None, str | None], datetime] = {}
    for drill in drills:
        if drill.has_passed:
            passed[drill.series, drill.backup] = drill.at
    newest = sorted((each for each in found if each.is_backup), key=lambda each: each.order)[::-1]
    unproved = []
    for each in newest:
        keys = ((each.series, each.path.name), (None, each.path.name))
        if not any(key in passed and passed[key] >= each.taken_at for key in keys):
            unproved.append(each.path.name)
    return Kept([each.path.name for each in newest], unproved) if newest else None

"""What is asked once for all databases of a fleet: the list of a place, a history."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from restore_drill.config.settings import Settings
from restore_drill.fleet.noted import Noted
from restore_drill.places.waiting import Once
from restore_drill.selection.groups import Shelf
from restore_drill.watch.history import load_history
from restore_drill.watch.kept import shelf_here


@dataclass(frozen=True)
class Asked:
    """What was asked; without `has_backups` no place is listed."""

    has_backups: bool = True
    shelves: Once[tuple[object, ...], Shelf] = field(default_factory=Once)
    histories: Once[Path, Noted] = field(default_factory=Once)

    def shelf_of(self, settings: Settings) -> Shelf:
        """What lies in BACKUP_PATH, as criteria read it, and what was drilled. CouldNotRun."""
        rules = settings.criteria
        key = settings.backup_path, str(rules.timezone), rules.backup_numbered
        return self.shelves.of(key, partial(shelf_here, settings))

    def noted_at(self, path: Path) -> Noted:
        """The drills of the history at `path`. CouldNotRun."""
        return self.histories.of(path, lambda: Noted(load_history(path)))

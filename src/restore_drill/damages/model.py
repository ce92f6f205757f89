"""What a damage is: what it does, and which criteria must notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from restore_drill.backups.model import Backup

COMPLETE = frozenset({"test_backup_is_complete"})
YOUNG = frozenset({"test_backup_is_young_enough"})
ROWS = frozenset({"test_table_has_every_row"})
KEYS = frozenset({"test_foreign_keys_hold"})
OBJECTS = frozenset({"test_every_object_came_back"})
SEQUENCES = frozenset({"test_sequences_are_ahead"})
MANIFEST = frozenset[str]()
"""No criterion: the backup can be restored, and only a manifest is sure to show the damage."""


@dataclass(frozen=True)
class Damage:
    """One kind of damage; at least one of the criteria `caught_by`, if any, must be red for it."""

    name: str
    what: str
    caught_by: frozenset[str]

    @property
    def needs_manifest(self) -> bool:
        """Whether only a manifest is sure to show it."""
        return not self.caught_by


@dataclass(frozen=True)
class DatabaseDamage(Damage):
    """Damage to a copy of the restored database; `find` is a query for the statement that does it.

    No row, or NULL, where the database has nothing of the kind.
    """

    find: str


@dataclass(frozen=True)
class FileDamage(Damage):
    """Damage to a copy of the backup, which `do` makes in a folder."""

    do: Callable[[Backup, Path], Backup]

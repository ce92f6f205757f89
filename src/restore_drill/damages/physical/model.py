"""Kinds of damages to a physical backup, by how they are done and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from restore_drill.backups.physical.model import Physical
from restore_drill.damages.model import Damage
from restore_drill.recovery.model import Archive

COMPLETE = frozenset({"test_backup_is_complete"})
POINT = frozenset({"test_recovery_point_is_recent_enough"})
WAL = frozenset({"test_wal_is_complete", "test_recovery_reached_its_target"})
PAGES = frozenset(
    {"test_every_page_is_sound", "test_index_entries_lead_to_rows",
     "test_tables_and_indexes_are_sound"}
)  # fmt: skip


class Untried(Exception):
    """The damage cannot be done here; it says why."""


@dataclass(frozen=True)
class FilesDamage(Damage):
    """Damage to the files of the backup, which `do` makes in a folder of links to them.

    It raises Untried where the backup has nothing of the kind.
    """

    do: Callable[[Physical, Path], Physical]


@dataclass(frozen=True)
class WalDamage(Damage):
    """Damage to one segment of the archive: `do` gives an archive that has the damaged one."""

    do: Callable[[Archive, str], Archive]


@dataclass(frozen=True)
class PageDamage(Damage):
    """Damage to a page of a copied database.

    `where` is what is damaged: a table's file, that of its index, or of the catalog.
    """

    where: str
    do: Callable[[int, int], None]
    needs_checksums: bool = False


@dataclass(frozen=True)
class AgeDamage(Damage):
    """Neither the backup nor what was recovered from it is of these days."""

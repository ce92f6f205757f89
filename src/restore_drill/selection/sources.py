"""Where backups lie: `source_of` finds the `Source` that fits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Protocol

from restore_drill.backups.folders import place_of_what
from restore_drill.backups.foreign import PLAIN_FOLDER, Foreign
from restore_drill.config.remote import mirror_around, places
from restore_drill.selection.candidate import Candidate
from restore_drill.selection.listing import Listing
from restore_drill.selection.tree import list_folder


class Source(Protocol):
    """A place where backups lie."""

    @property
    def place(self) -> Path:
        """Where it is, for messages."""

    @property
    def instead(self) -> Foreign | None:
        """What it is instead of a place for backups; None where it may be one."""

    def listing(self, zone: tzinfo) -> Listing:
        """What lies there, newest first; times without a zone are in `zone`.

        Raises CouldNotRun where it cannot be read.
        """

    def fetch(self, candidate: Candidate) -> Candidate:
        """The one of its candidates that is to be drilled, with its file on this machine."""


@dataclass(frozen=True)
class Folder:
    """A `Source`: a folder of this machine."""

    place: Path

    @property
    def instead(self) -> Foreign | None:
        """A data directory, a repository of physical backups."""
        what = place_of_what(self.place)
        return None if what is PLAIN_FOLDER else what

    def listing(self, zone: tzinfo) -> Listing:
        """Files and dumps in it, or in the folders below it."""
        found = list_folder(self.place, zone)
        if (root := mirror_around(self.place)) is not None:
            from restore_drill.selection.remote import unseen  # noqa: PLC0415 - see below

            found.unseen += unseen.get(root, ())
            found.passed_over += [f"{each.label}: {each.why}" for each in unseen.get(root, ())]
        return found

    def fetch(self, candidate: Candidate) -> Candidate:
        """It is here, or begins to come."""
        if not mirror_around(self.place):
            return candidate
        from restore_drill.selection.fetching import fetched  # noqa: PLC0415 - see below

        return fetched(candidate)


def folder_at(backup_path: Path) -> Folder:
    """Folder that holds the backups: `db/` below `backup_path`, else itself."""
    if backup_path in places:
        from restore_drill.selection.remote import fill  # noqa: PLC0415 - most places are folders

        fill(backup_path)
    below = backup_path / "db"
    return Folder(below if below.is_dir() else backup_path)


def source_of(backup_path: Path) -> Source:
    """Source that BACKUP_PATH names; CouldNotRun where a place of another machine gives no list."""
    return folder_at(backup_path)

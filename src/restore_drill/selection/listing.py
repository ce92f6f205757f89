"""What is found in a place of backups, and what becomes of the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple

from restore_drill.core.access import cannot_read
from restore_drill.selection.candidate import (
    Candidate,
    Series,
    claims_to_be_backup,
    look_at,
)

IN_PROGRESS = (".part", ".partial", ".tmp", ".temp", ".inprogress", ".incomplete")
NOT_SUPPORTED = re.compile(
    r"\.dmp$|\.(sql|dump|pgdump|psql|backup|tar)\.(z|lzo|br|lzma|lz|lrz|rz|sz|snappy|zpaq|cpt|nc)$",
    re.IGNORECASE,
)
"""Names of backups of formats and compressions that no drill reads."""


def is_directory_dump(path: Path) -> bool:
    """Whether the folder at `path` is one backup: pg_dump's directory format."""
    return (path / "toc.dat").exists()


class Unseen(NamedTuple):
    """What may be a backup and was not looked at: its `label`, `why`, and its `series` by name."""

    label: str
    why: str
    series: str = ""


class Sought(NamedTuple):
    """The kind of backups that is looked for: `look` says what one is by its content.

    `is_whole` says of a folder whether it is one backup, `claims` of a file whether its name says
    that it is one.
    """

    look: Callable[[Path, tzinfo, int], Candidate] = look_at
    is_whole: Callable[[Path], bool] = is_directory_dump
    claims: Callable[[Path], bool] = claims_to_be_backup


DUMPS = Sought()
"""Backups of PostgreSQL."""


@dataclass
class Listing:
    """What was found in a folder, and what became of the rest, a line each.

    `closed` is what this user may not read: it may be a backup, as what is `unseen` may be.
    `folders` were searched where no backup lay directly in it; those `deeper` were not, and those
    `unsearched` were not because backups lie beside them. `repositories` are written to at any
    time, `unfinished` backups are not to be drilled, and `wal` are folders of nothing but WAL.
    `others` are folders of other systems, and `copies` are other names of what was found.
    """

    found: list[Candidate] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    repositories: list[Path] = field(default_factory=list)
    unfinished: list[Path] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    unsearched: list[Path] = field(default_factory=list)
    wal: list[Path] = field(default_factory=list)
    deeper: list[Path] = field(default_factory=list)
    closed: list[Candidate] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)

    @property
    def apart(self) -> list[Path]:
        """What need not keep its size to be drilled, or is not drilled."""
        return [*self.repositories, *self.unfinished]


def newest_first(found: Iterable[Candidate]) -> Series:
    """`found` in its order."""
    return sorted(found, key=lambda each: each.order, reverse=True)


def entries_of(folder: Path) -> list[Path]:
    """What lies in `folder`, by name; hidden entries left out. CouldNotRun where it is closed."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise cannot_read("the backup directory", folder, error) from None

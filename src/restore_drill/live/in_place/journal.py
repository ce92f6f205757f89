"""The journal of a live database that is reset in place: what it was, and how far it has come.

`reset_SERVER_NAME_TIME.json` in the folder of the snapshots, on the disk before the database is
shut, advanced before it is reset, and removed when it has a verdict and is open again.
"""

from __future__ import annotations

import platform
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from restore_drill.core.json_values import text, whole
from restore_drill.live.in_place.mark import Mark, Settings
from restore_drill.live.server.identity import ServerIdentity
from restore_drill.live.server.journal_file import (
    path_of,
    paths_of,
    read_sealed,
    sealed,
    see_written,
    unsealed,
)
from restore_drill.manifest.staging import sync

KIND = "reset"
SHUT, RESET, KEPT, ROLLED_BACK = "shut", "reset", "kept", "rolled back"
STEPS = (SHUT, RESET, KEPT, ROLLED_BACK)


@dataclass(frozen=True)
class ResetJournal:
    """The database `oid`, called `name`, and what was set for it before it was shut.

    `system` is the server's system identifier, empty where the server keeps it to itself;
    `read_only` its own default_transaction_read_only, None where it had none, as with its
    `comment`; `snapshot` the name of the file in the same folder that a rollback restores, empty
    where nothing was reset; `behind` that of the file which a drill had reset it behind, where a
    rollback to another one has begun since.
    """

    system: str
    oid: int
    name: str
    begun_at: str
    read_only: str | None
    connection_limit: int
    comment: str | None
    snapshot: str = ""
    step: str = SHUT
    behind: str = ""

    @property
    def server(self) -> ServerIdentity:
        """Which database of which server it is of."""
        return ServerIdentity(self.system, self.oid, self.name)

    @property
    def former(self) -> Settings:
        """What was set for the database before it was shut."""
        return Settings(self.read_only, self.connection_limit, self.comment)

    def has_verdict_on(self, mark: Mark) -> bool:
        """Whether the reset that `mark` speaks of has its verdict by this journal."""
        return self.step in (KEPT, ROLLED_BACK) and self.snapshot == mark.snapshot

    @property
    def mark(self) -> Mark:
        """What stands on the database while it is shut."""
        return Mark(self.former, self.snapshot if self.is_undecided else "", platform.node())

    @property
    def is_undecided(self) -> bool:
        """Whether the database may hold what nobody has proved."""
        return self.step == RESET


def new_journal(folder: Path, server: ServerIdentity, former: Settings) -> ResetJournal:
    """Journal that begins now, with a name of its own in `folder`; not written yet."""
    now = datetime.now(UTC)
    while True:
        begun_at = now.isoformat(timespec="seconds")
        made = ResetJournal(*server, begun_at, *former)
        if not journal_path(folder, made).exists():
            return made
        now += timedelta(seconds=1)


def journal_path(folder: Path, journal: ResetJournal) -> Path:
    """Where `journal` lies."""
    return path_of(folder, KIND, journal.system, journal.name, journal.begun_at)


def write(folder: Path, journal: ResetJournal, **changed: Any) -> ResetJournal:
    """See `journal`, with what has changed, on the disk; CouldNotRun where that is not possible."""
    later = replace(journal, **changed)
    see_written(journal_path(folder, later), sealed(asdict(later)))
    return later


def remove(folder: Path, journal: ResetJournal) -> None:
    """Remove `journal`: nothing is left to do for the next run. Raises OSError."""
    journal_path(folder, journal).unlink(missing_ok=True)
    with suppress(OSError):
        sync(folder)


def read(path: Path) -> ResetJournal:
    """Journal at `path`; CouldNotRun where it is damaged or cannot be read."""
    return read_sealed(path, journal_from, KIND)


def journal_from(raw: dict[str, Any]) -> ResetJournal:
    """Journal in `raw`; KeyError, TypeError or ValueError where it is none."""
    values = unsealed(raw, STEPS)
    datetime.fromisoformat(text(values["begun_at"]))
    return ResetJournal(
        system=text(values["system"]),
        oid=whole(values["oid"]),
        name=text(values["name"]),
        begun_at=values["begun_at"],
        read_only=optional(values["read_only"]),
        connection_limit=whole(values["connection_limit"]),
        comment=optional(values.get("comment")),
        snapshot=text(values["snapshot"]),
        step=values["step"],
        behind=text(values.get("behind", "")),
    )


def optional(value: object) -> str | None:
    """`value`, which is a text or None; else TypeError."""
    return None if value is None else text(value)


def resets_of(folder: Path, server: ServerIdentity) -> list[ResetJournal]:
    """Journals in `folder` of that database, the oldest first; CouldNotRun where one is damaged."""
    found = map(read, paths_of(folder, KIND, server.database, server.system))
    return [each for each in found if not each.server.mismatch(server)]


def is_left_open(folder: Path, name: str) -> bool:
    """Whether `folder` holds a journal of a reset of a database `name`, on whichever server."""
    return bool(paths_of(folder, KIND, name, ""))

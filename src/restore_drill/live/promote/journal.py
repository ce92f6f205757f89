"""The journal of a swap of two databases: what is about to happen, on the disk before it does.

`swap_SERVER_NAME_TIME.json` in the folder of the snapshots, one for each swap. It is written
before each step, and read by the next run, which finds out how it ended, and by the way back.
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.json_values import text, whole
from restore_drill.live.server.journal_file import (
    path_of,
    paths_of,
    read_sealed,
    sealed,
    see_written,
    unsealed,
)

PREPARED, COMMITTING, DONE, UNDONE = "prepared", "committing", "done", "undone"
STEPS = (PREPARED, COMMITTING, DONE, UNDONE)
KIND = "swap"
PROMOTION, CREATION, WAY_BACK = "promotion", "creation", "rollback"
NO_DATABASE = 0
"""Number where there is none: before a creation, and after the way back from it."""


@dataclass(frozen=True)
class Journal:
    """A swap: the database `live_oid` gives its `name` to `incoming_oid`, and is called `kept`.

    One of the two may be NO_DATABASE: where there was no `name`, or where there is to be none.
    `system` is the server's system identifier, empty where the server keeps it to itself;
    `incoming` the name that the new one has before; `begun_at` a time in ISO 8601.
    """

    system: str
    name: str
    live_oid: int
    incoming_oid: int
    incoming: str
    kept: str
    kind: str
    begun_at: str
    step: str = PREPARED

    @property
    def after(self) -> dict[int, str]:
        """Names after it, by the numbers of those databases that there are."""
        names = {self.live_oid: self.kept, self.incoming_oid: self.name}
        return {oid: name for oid, name in names.items() if oid != NO_DATABASE}

    @property
    def is_open(self) -> bool:
        """Whether it is not known how the swap ended."""
        return self.step in (PREPARED, COMMITTING)

    @property
    def text(self) -> str:
        """The same as JSON, with a checksum."""
        return sealed(asdict(self))


def journal_path(folder: Path, journal: Journal) -> Path:
    """Where `journal` lies."""
    return path_of(folder, KIND, journal.system, journal.name, journal.begun_at)


def write_journal(folder: Path, journal: Journal) -> None:
    """See `journal` on the disk; CouldNotRun where that is not possible."""
    see_written(journal_path(folder, journal), journal.text)


def advance(folder: Path, journal: Journal, step: str) -> Journal:
    """Write that `journal` has come to `step`, and give it."""
    later = replace(journal, step=step)
    write_journal(folder, later)
    return later


def note_end(folder: Path, journal: Journal, step: str) -> Journal:
    """The same of a swap that has ended: what the disk does not take, the next run finds out."""
    with suppress(CouldNotRun):
        write_journal(folder, replace(journal, step=step))
    return replace(journal, step=step)


def read_journal(path: Path) -> Journal:
    """Journal at `path`; CouldNotRun where it is damaged or cannot be read."""
    return read_sealed(path, journal_from, KIND)


def journal_from(raw: dict[str, Any]) -> Journal:
    """Journal in `raw`; KeyError, TypeError or ValueError where it is none."""
    values = unsealed(raw, STEPS)
    datetime.fromisoformat(text(values["begun_at"]))
    return Journal(
        system=text(values["system"]),
        name=text(values["name"]),
        live_oid=whole(values["live_oid"]),
        incoming_oid=whole(values["incoming_oid"]),
        incoming=text(values["incoming"]),
        kept=text(values["kept"]),
        kind=text(values["kind"]),
        begun_at=values["begun_at"],
        step=values["step"],
    )


def journals_of(folder: Path, name: str, system: str) -> list[Journal]:
    """Journals in `folder` of swaps of the database `name` of the server `system`.

    CouldNotRun where one of them is damaged.
    """
    found, damaged = readable_journals(folder, name, system)
    if damaged:
        raise damaged[0]
    return found


def readable_journals(
    folder: Path, name: str, system: str
) -> tuple[list[Journal], list[CouldNotRun]]:
    """The same of those that can be read, and why the others cannot."""
    found, damaged = [], []
    for path in paths_of(folder, KIND, name, system):
        try:
            found.append(read_journal(path))
        except CouldNotRun as error:
            damaged.append(error)
    return found, damaged


def way_back_command(name: str, folder: Path) -> str:
    """Command that swaps the old database `name` back; `folder` holds the journal."""
    where = shlex.quote(str(folder.absolute()))
    return f"{COMMAND} rollback --confirm {shlex.quote(name)} --journal {where}"

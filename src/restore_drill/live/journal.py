"""The journal of a swap of two databases: what is about to happen, on the disk before it does.

`swap_SERVER_NAME_TIME.json` in the folder of the snapshots, one for each swap. It is written
before each step, and read by the next run, which finds out how it ended, and by the way back.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from restore_drill.core.access import cannot_read
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.json_values import text, whole
from restore_drill.core.remedies import remedy_for
from restore_drill.manifest.file import reason, write_text
from restore_drill.manifest.staging import sync

SCHEMA = 1
HIDDEN = "server"
"""Stands in a name where the server keeps its identifier to itself."""
TIME = "%Y%m%d_%H%M%S"
PREPARED, COMMITTING, DONE, UNDONE = "prepared", "committing", "done", "undone"
STEPS = (PREPARED, COMMITTING, DONE, UNDONE)
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
        values = {"schema": SCHEMA, **asdict(self)}
        return json.dumps({**values, "sha256": digest(values)}, indent=1) + "\n"


def digest(values: dict[str, Any]) -> str:
    """SHA-256 of `values`, whatever their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def journal_path(folder: Path, journal: Journal) -> Path:
    """Where `journal` lies."""
    when = datetime.fromisoformat(journal.begun_at).strftime(TIME)
    return folder / f"swap_{journal.system or HIDDEN}_{quote(journal.name, safe='')}_{when}.json"


def write_journal(folder: Path, journal: Journal) -> None:
    """See `journal` on the disk; CouldNotRun where that is not possible."""
    path = journal_path(folder, journal)
    part = path.with_name(path.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        write_text(part, journal.text)
        part.replace(path)
        sync(folder)
    except OSError as error:
        raise CouldNotRun(
            f"the journal {path} cannot be written: {error.strerror}",
            remedy=remedy_for("promote", "unwritable"),
        ) from None


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
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return journal_from(raw)
    except OSError as error:
        raise cannot_read("the journal", path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CouldNotRun(
            f"the journal {path.name} is damaged: {reason(error)}",
            checked=[str(path)],
            remedy=remedy_for("promote", "damaged_journal", path=path),
        ) from None


def journal_from(raw: dict[str, Any]) -> Journal:
    """Journal in `raw`; KeyError, TypeError or ValueError where it is none."""
    values = dict(raw)
    checksum = text(values.pop("sha256"))
    if values["schema"] != SCHEMA:
        raise ValueError(f"its schema is {values['schema']!r}")
    if checksum != digest(values):
        raise ValueError("its checksum does not match")
    if values["step"] not in STEPS:
        raise ValueError(f"its step is {values['step']!r}")
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
    for path in journal_paths(folder, name, system):
        try:
            found.append(read_journal(path))
        except CouldNotRun as error:
            damaged.append(error)
    return found, damaged


def journal_paths(folder: Path, name: str, system: str) -> list[Path]:
    """Where the journals of swaps of the database `name` lie; of any server where that is empty."""
    of = rf"swap_({re.escape(system)}|{HIDDEN})" if system else r"swap_[^_]+"
    fits = re.compile(rf"{of}_{re.escape(quote(name, safe=''))}_\d{{8}}_\d{{6}}\.json")
    return [path for path in sorted(folder.glob("swap_*")) if fits.fullmatch(path.name)]


def way_back_command(name: str, folder: Path) -> str:
    """Command that swaps the old database `name` back; `folder` holds the journal."""
    where = shlex.quote(str(folder.absolute()))
    return f"{COMMAND} rollback --confirm {shlex.quote(name)} --journal {where}"

"""The safety snapshot of a live database: taken, and proved by facts of the same moment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

import psycopg

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import read_contents
from restore_drill.core.errors import CHECKED, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.session import open_session
from restore_drill.live.in_place.snapshots import write_manifest
from restore_drill.live.in_place.source import Source, write_source
from restore_drill.live.server.identity import identity_of_server
from restore_drill.manifest.backup import dump_and_read
from restore_drill.manifest.dump import Form
from restore_drill.manifest.dump_causes import dump_remedy
from restore_drill.manifest.staging import publish, staging_in
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.model import Target

Progress = Callable[[str], None]
BEFORE_DRILL, BEFORE_ROLLBACK = "pre_drill_snapshot", "pre_rollback_snapshot"

REMEDY = re.compile(r"  \d+\. ")
"""Begins the steps of an error that another one takes the place of."""


@dataclass(frozen=True)
class Snapshot:
    """A proved safety copy of the live database `target`, and what that database was."""

    target: Target
    backup: Backup
    contents: Contents
    fingerprint: Fingerprint

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.backup.path


def unwritable(path: Path, error: OSError) -> CouldNotRun:
    """The error that no snapshot can be written to the folder of `path`."""
    return CouldNotRun(
        f"no safety snapshot was taken, so nothing was touched: {path.parent}: {error.strerror}",
        remedy=remedy_for("snapshot", "unwritable"),
    )


def take_snapshot(
    target: Target, folder: Path, *, name: str, jobs: int, progress: Progress
) -> Snapshot:
    """Dump the live database and prove the dump readable and complete, else stop.

    The dump and the facts that it is proved by are of one exported snapshot. No other session may
    write meanwhile (`Hold.stop_writes`). It is named by `name` and the time.
    """
    path = free_name(folder, name)
    fingerprint = dump_with_facts(target, path, jobs, progress)
    backup = as_backup(look_at(path, UTC))
    contents = read_contents(backup, folder, progress)
    unequal = rows_that_differ(contents, fingerprint)
    if contents.faults or unequal:
        raise CouldNotRun(
            "the safety snapshot could not be verified, so nothing was touched",
            checked=[str(path), *contents.faults, *unequal],
            remedy=remedy_for("snapshot", "not_proved"),
        )
    try:
        server = identity_of_server(target)
        write_source(path, Source(server, fingerprint))
        write_manifest(target, path, fingerprint, server)
    except OSError as error:
        raise unwritable(path, error) from None
    return Snapshot(target, backup, contents, fingerprint)


def dump_with_facts(target: Target, path: Path, jobs: int, progress: Progress) -> Fingerprint:
    """Dump all of `target` to `path`, readable by its owner only, and read what it is.

    Both are of one snapshot that a session exports. CouldNotRun where one of them fails.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staging_in(path.parent) as staging, open_session(target, snapshot="") as holder:
            part = staging / path.name
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            (row,) = holder.execute("SELECT pg_catalog.pg_export_snapshot()").fetchall()
            found, _ = dump_and_read(
                target, Form("custom"), part, snapshot=row[0], jobs=jobs, progress=progress
            )
            publish([part], path.parent)
    except OSError as error:
        raise unwritable(path, error) from None
    except psycopg.Error as error:
        raise not_taken(f"{target.description} cannot be read", [error_text(error)]) from None
    except CouldNotRun as error:
        first, *more = str(error).splitlines()
        found_out = takewhile(lambda line: not REMEDY.match(line), more)
        reasons = [line.strip().removeprefix(CHECKED.strip()).strip() for line in found_out]
        raise not_taken(first, reasons) from None
    if found.unread:
        raise not_taken(f"{target.description} cannot be read completely", found.unread)
    return found


def not_taken(why: str, reasons: Sequence[str]) -> CouldNotRun:
    """The error that pg_dump, or what reads the same beside it, has failed."""
    return CouldNotRun(
        f"no safety snapshot was taken, so nothing was touched: {why}",
        checked=list(reasons)[:5],
        remedy=dump_remedy(reasons),
    )


def free_name(folder: Path, name: str) -> Path:
    """Path of a new snapshot: no two of one second overwrite each other."""
    number, now = 0, datetime.now(UTC)
    while True:
        path = folder / f"{name}_{now:%Y%m%d_%H%M%S}{f'_{number}' if number else ''}.dump"
        if not path.exists():
            return path
        number += 1


def rows_that_differ(contents: Contents, fingerprint: Fingerprint) -> list[str]:
    """Tables whose rows in the snapshot are not those of the database."""
    found = {name: facts.rows for name, facts in fingerprint.all_tables.items()}
    lines = [
        f"{name}: {found.get(name)} rows in the database, {rows} in the snapshot"
        for name, rows in contents.counted.items()
        if found.get(name) != rows
    ]
    made = [entry.full_name for entry in contents.entries if entry.kind == "TABLE"]
    empty = [name for name in made if name not in contents.counted and name in fingerprint.tables]
    return lines + [f"{name}: no rows in the snapshot" for name in empty if found[name]]

"""The safety snapshot of a live database: taken, proved, and found again when a drill has died."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import read_contents
from restore_drill.config.settings import Settings
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.server_lines import safe_lines
from restore_drill.core.units import show_count
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.snapshot import read_all_but_rows, read_fingerprint
from restore_drill.live.hold import ServerIdentity, identity_of_server
from restore_drill.live.undecided import Source, read_source, undecided_in, write_source
from restore_drill.manifest.settle import differences, written_of
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.model import Target

Progress = Callable[[str], None]
BEFORE_DRILL, BEFORE_ROLLBACK = "pre_drill_snapshot", "pre_rollback_snapshot"


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


def snapshot_folder(settings: Settings) -> Path:
    """Folder of the snapshots: `$BACKUP_PATH/snapshots`, else beside the named backup."""
    if settings.backup_path is not None:
        return settings.backup_path / "snapshots"
    assert settings.backup is not None
    return settings.backup.parent / "snapshots"


def dump(target: Target, path: Path) -> None:
    """Dump all of `target` to `path`, readable by its owner only; CouldNotRun where that fails."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        done = subprocess.run(
            [target.binaries.tool("pg_dump"), "--format=custom", "--no-password", f"--file={part}"],
            env=target.tool_environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            process_group=0,  # Ctrl-C is for us to act on
        )
        if done.returncode:
            raise CouldNotRun(
                f"no safety snapshot, nothing was touched: pg_dump failed on {target.description}",
                checked=safe_lines(done.stderr.splitlines())[-5:],
                remedy=remedy_for("snapshot", "pg_dump_failed"),
            )
        part.rename(path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        part.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> CouldNotRun:
    """Tell that no snapshot can be written to the folder of `path`."""
    return CouldNotRun(
        f"no safety snapshot, so nothing was touched: {path.parent}: {error.strerror}",
        remedy=remedy_for("snapshot", "unwritable"),
    )


def take_snapshot(
    target: Target, folder: Path, *, name: str, jobs: int, progress: Progress
) -> Snapshot:
    """Dump the live database and prove the dump readable and complete, else stop.

    No other session may write meanwhile (`Hold.stop_writes`). It is named by `name` and the time.
    """
    fingerprint = read_fingerprint(target, jobs, progress)
    fingerprint = replace(fingerprint, written=written_of(target, fingerprint))
    path = free_name(folder, name)
    dump(target, path)
    backup = as_backup(look_at(path, UTC))
    contents = read_contents(backup, folder, progress)
    unequal = rows_that_differ(contents, fingerprint)
    if contents.faults or unequal:
        raise CouldNotRun(
            "the safety snapshot is not proved, so nothing was touched",
            checked=[str(path), *contents.faults, *unequal],
            remedy=remedy_for("snapshot", "not_proved"),
        )
    try:
        write_source(path, Source(identity_of_server(target), fingerprint))
    except OSError as error:
        raise unwritable(path, error) from None
    return Snapshot(target, backup, contents, fingerprint)


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


def refuse_change(target: Target, fingerprint: Fingerprint) -> None:
    """CouldNotRun where anything but rows has changed since `fingerprint` was read.

    Rows cannot: writes are held. Tables can be made, sequences and large objects can move.
    """
    try:
        now = read_all_but_rows(target)
    except psycopg.Error as error:
        raise CouldNotRun(
            f"{target.description} was not touched: it cannot be read once more",
            checked=[error_text(error)],
        ) from None
    was = replace(fingerprint, tables={}, partitions={}, written=None)
    changed = differences(was, replace(now, partitions={}), target)
    if changed:
        raise CouldNotRun(
            f"{target.description} was not touched: it has changed since its snapshot was taken",
            checked=changed[:10],
            remedy=remedy_for("live", "changed"),
        )


def refuse_undecided(folder: Path, server: ServerIdentity) -> list[str]:
    """CouldNotRun where an earlier drill of this database died before its verdict.

    Gives a line on each such marker of another database, which is none of ours. The drill's lock
    must be held: else the marker may be that of a drill which is at work.
    """
    others = []
    for path in undecided_in(folder):
        source = read_source(path)
        if source is not None and (mismatch := source.server.mismatch(server)):
            others.append(f"{path.name} has no verdict, but {mismatch}")
            continue
        raise CouldNotRun(
            f"an earlier drill was stopped after it had reset database {server.database}: "
            "no verdict is out",
            checked=[f"{path}.undecided"],
            remedy=remedy_for(
                "snapshot", "undecided", path=path, rollback=way_back(path, server.database)
            ),
        )
    return others


def way_back(path: Path, database: str) -> str:
    """Command that restores the snapshot at `path` into `database`."""
    return f"{COMMAND} rollback {path} --confirm-reset {database}"


def what_it_holds(target: Target) -> str:
    """What is in the live database now, as far as it answers."""
    try:
        with target.connect() as connection:
            row = connection.execute(
                "SELECT count(*), coalesce(sum(greatest(reltuples, 0)), 0)::bigint"
                " FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384"
                " AND relnamespace <> 'pg_catalog'::pg_catalog.regnamespace"
                " AND relnamespace <> 'pg_toast'::pg_catalog.regnamespace"
            ).fetchone()
    except psycopg.Error:
        return "the server does not answer, so what it holds is not known"
    tables, rows = row or (0, 0)
    if not tables:
        return "it holds no table at all"
    return f"it holds {show_count(tables, 'table')} with about {show_count(rows, 'row')}"

"""The safety snapshot of a live database: taken, proved, and found again when a drill has died."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import read_contents
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_lines import safe_lines
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.live.identity import identity_of_server
from restore_drill.live.undecided import Source, write_source
from restore_drill.manifest.settle import written_of
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
                "no safety snapshot was taken, so nothing was touched: "
                f"pg_dump failed on {target.description}",
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
        f"no safety snapshot was taken, so nothing was touched: {path.parent}: {error.strerror}",
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
            "the safety snapshot could not be verified, so nothing was touched",
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

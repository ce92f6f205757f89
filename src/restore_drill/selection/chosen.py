"""The backup that a drill is of: with its head, in the record's shape, and in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restore_drill.backups.arrived import version_there
from restore_drill.backups.choice import Picked
from restore_drill.backups.mark import stamp_of
from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.physical.model import SHARED
from restore_drill.backups.read import read_head
from restore_drill.backups.streams import AROUND, MAGIC
from restore_drill.config.settings import Settings
from restore_drill.core.access import cannot_read
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_duration, show_time, some
from restore_drill.selection.groups import Shelf
from restore_drill.selection.pick import Proofs, unproved
from restore_drill.selection.select import select_backup

Chosen = Backup | BackupFault | CouldNotRun
"""Backup that is drilled, or why there is none."""


def choose(
    settings: Settings,
    shelf: Shelf | None = None,
    proofs: Proofs = unproved,
    beside: Collection[str] = (),
) -> Chosen:
    """Backup that `settings` name, with its head, or why there is none; see `select_backup`.

    Raises UsageError where a series or a pick is asked for that there is not.
    """
    try:
        backup = select_backup(settings, shelf, proofs, beside)
        return replace(backup, head=read_head(backup))
    except (BackupFault, CouldNotRun) as error:
        return error
    except OSError as error:
        place = settings.backup or settings.backup_path or Path()
        return cannot_read("the backup", Path(error.filename or place), error)


def no_backup_named() -> CouldNotRun:
    """Nothing names a backup, and the sample shop is not what was asked for."""
    return CouldNotRun(
        "no backup is configured, and --require-backup (DRILL_REQUIRE_BACKUP) rules out "
        "the sample shop",
        checked=["--backup (DRILL_BACKUP) and BACKUP_PATH; the environment, .env and .env.txt"],
        remedy=remedy_for("select", "required"),
    )


def why_no_tables(backup: Chosen) -> str:
    """Why no table of the backup is known when criteria are collected."""
    if not isinstance(backup, Backup):
        return "there is no backup to read tables from"
    if backup.unrecognised or backup.locked or not backup.size or not backup.head.entries:
        return f"no table can be read from {backup.name}"
    return f"{backup.name} lists no table"


def why_no_sizes(settings: Settings) -> str:
    """Why there is nothing to compare the size of the backup with."""
    if settings.backup is not None:
        return "a backup named with --backup is not compared with earlier ones"
    return "there is no earlier backup of the same series and format"


def remarks_on(backup: Backup) -> Iterator[str]:
    """What is worth a line about `backup`; one that was compressed more than once, too."""
    yield from backup.remarks
    number = sum(name in MAGIC.values() for name in backup.compression.split(AROUND))
    if number > 1:
        times = {2: "twice", 3: "three times"}.get(number, f"{number} times")
        yield f"compressed {times} ({backup.compression}): a restore decompresses it {times}"


AHEAD = 300
"""Seconds by which clocks may differ."""


def age_of(backup: Backup) -> float:
    """Seconds since the backup was taken."""
    return (datetime.now(UTC) - backup.taken_at).total_seconds()


def out_of_time(backup: Backup, limit: float) -> tuple[str, str]:
    """Why `backup` is too old for `limit` (seconds), or from the future: cause and words.

    Both are empty where it is neither.
    """
    age = age_of(backup)
    if age <= -AHEAD:
        return "future", f"was taken {show_duration(-age)} in the future"
    if age > limit:
        return "old", f"is {show_duration(age)} old, the limit is {show_duration(limit)}"
    return "", ""


def age_of_newest(backup: Backup) -> float:
    """Seconds since the newest backup of its series was taken: mostly since this one was."""
    return (datetime.now(UTC) - newest_of(backup).newest_at).total_seconds()


def taken_words(backup: Backup) -> str:
    """`shop.dump was taken 2026-11-23 05:00 UTC (from its name)`, of the newest of its series."""
    newest = newest_of(backup)
    return f"{newest.newest} was taken {show_time(newest.newest_at)} (from {newest.newest_source})"


def newest_of(backup: Backup) -> Picked:
    """The newest backup of its series, which mostly is this one."""
    label = backup.among.label or backup.name
    return backup.among.picked or Picked("", label, backup.taken_at, backup.time_source)


def described(backup: Backup, age: float) -> str:
    """`custom archive, 12 MB, taken 2026-11-23 05:00 UTC (3 h ago, from its name)`."""
    return (
        f"{backup.format_text}, {show_bytes(backup.size)}, taken {show_time(backup.taken_at)} "
        f"({show_duration(max(age, 0))} ago, from {backup.time_source})"
    )


def backup_record(backup: Backup, age: float, manifest: Path) -> dict[str, Any]:
    """Part `backup` of result.json, as far as the head has it, with its `manifest`, if any."""
    return {
        "path": as_written(backup.path),
        "format": backup.format_text,
        "bytes": backup.size,
        "sha256": None,
        "version": version_there(backup.path),
        "stamp": None if backup.format in SHARED else stamp_of(backup.path),
        "checksum": None,
        "transfer": None,
        "taken_at": backup.taken_at.isoformat(),
        "taken_at_source": backup.time_source,
        "age_seconds": round(age, 1),
        "source_version": backup.head.source_version,
        "dumped_by": backup.head.dumped_by,
        "database": backup.head.database,
        "encoding": backup.head.encoding,
        "manifest": as_written(manifest) if manifest.exists() else None,
        "series": backup.among.series or None,
        "name": backup.among.label or backup.name,
        "picked": backup.among.picked and picked_in_json(backup.among.picked),
        # A file is what everybody expects.
        **({"directory": True} if backup.path.is_dir() else {}),
    }


def picked_in_json(picked: Picked) -> dict[str, Any]:
    """That an older backup was picked, and which one is the newest of its series."""
    return {"how": picked.how, "newest": picked.newest, "newest_taken_at": picked.newest_at}


def contents_record(contents: Contents, known: dict[str, Any]) -> dict[str, Any]:
    """What the whole of the backup shows in place of what its head has: `known`."""
    head = contents.head
    return known | {
        "sha256": contents.sha256,
        "checksum": contents.checksum,
        "source_version": head.source_version,
        "dumped_by": head.dumped_by,
        "database": head.database or known["database"],
        "encoding": head.encoding,
    }


MOST_NAMED = 3
"""Names that stand in one line."""


def left_open(contents: Contents) -> Iterator[tuple[str, str]]:
    """What of `contents` is not drilled, and why."""
    if contents.left_out:
        others = ", ".join(contents.left_out)
        why = "they have no tables, and a drill restores only one database"
        yield f"other databases of the dump: {others}", why
    if contents.unsure:
        why = (
            "it inherits, and its INSERTs name no columns: where the source has them in another "
            "order, values come back in each other's; dump with --column-inserts"
        )
        yield f"whether values stand in their columns: {some(contents.unsure, MOST_NAMED)}", why
    yield from contents.told
    if not contents.entries and contents.is_complete and contents.rows is not None:
        yield "the table of contents", "the backup has none (not written by pg_dump)"

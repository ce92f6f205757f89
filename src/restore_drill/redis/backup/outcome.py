"""What a drill found of a backup of Redis, in words and for result.json."""

from __future__ import annotations

from typing import Any

from restore_drill.backups.model import Backup
from restore_drill.core.errors import BackupFault
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.model import FileFacts, RestoredRedis

INTACT = "test_redis_backup_is_intact"


def readable(backup: Backup) -> None:
    """Raise what is wrong where `backup` is nothing that can be read at all."""
    if backup.locked is not None:
        raise backup.locked
    what = "is empty (zero bytes)" if not backup.size else ""
    if backup.unrecognised:
        what = f"is not a backup of Redis: {backup.unrecognised}"
    if what:
        raise BackupFault(
            f"{backup.name} {what}",
            checked=[as_written(backup.path)],
            remedy=backup.remedy or remedy_for("test_redis_backup_is_intact", "empty"),
            reported_by=INTACT,
        )


def whole(file: FileFacts, backup: Backup) -> None:
    """Raise what is wrong with the `file` of `backup`: nothing is loaded of one that is damaged."""
    if file.faults:
        raise BackupFault(
            f"{backup.name} is damaged: {file.faults[0].what}",
            checked=fault_lines(file, backup),
            remedy=remedy_for("test_redis_backup_is_intact", file.faults[0].cause),
            reported_by=INTACT,
        )


def fault_lines(file: FileFacts, backup: Backup) -> list[str]:
    """What was checked, and all that is wrong with it."""
    by = f" by {file.checked_by}'s tool" if file.checked_by else ""
    there = f"{file.keys:,} keys can still be read" if file.keys is not None else ""
    return [
        f"{as_written(backup.path)} ({file.version or file.kind}){by}",
        *(each.what for each in file.faults[1:]),
        *([there] if there else []),
    ]


def why_not_whole(found: RestoredRedis) -> str:
    """What of the file the server does not have; empty where it has loaded all of it."""
    if found.expected is None or found.loaded is None or found.expired is None:
        return ""
    read = found.loaded + found.expired + found.emptied
    if read != found.expected:
        return f"the server read {read:,} keys, the file holds {found.expected:,}"
    if found.keys > found.loaded:
        return f"the server has {found.keys:,} keys, but read only {found.loaded:,}"
    return ""


def facts_json(
    backup: Backup, file: FileFacts | None, found: RestoredRedis | None
) -> dict[str, Any]:
    """Part `redis_backup` of result.json, as far as it is known."""
    file = file or FileFacts(backup.format)
    return {
        "path": as_written(backup.path),
        "format": backup.format_text,
        "bytes": backup.size,
        "taken_at": backup.taken_at,
        "taken_at_source": backup.time_source,
        "series": backup.among.series or None,
        "version": file.version or None,
        "written_by": file.written_by or None,
        "checksum": file.checksum or None,
        "file_keys": file.keys,
        "file_expired": file.expired,
        "file_expires": file.expires,
        "functions": file.functions,
        "types": {
            str(database): {name: each.total for name, each in types.items()}
            for database, types in file.types.items()
        },
        "server": found.version if found else None,
        "keys": found.keys if found else None,
        "databases": {str(each): keys for each, keys in found.databases.items()} if found else {},
        "load_seconds": round(found.seconds, 3) if found else None,
    }

"""Options of the recovery of a physical backup."""

from __future__ import annotations

from restore_drill.config.option import Option

RECOVERY_OPTIONS = (
    Option(
        "--recover-to",
        "DRILL_RECOVER_TO",
        "latest",
        "where the recovery of a physical backup ends: latest, immediate (the end of the backup), "
        "a time (2026-11-27 23:36:00+00), lsn:0/1E0000B0, xid:800 or name:RESTORE_POINT",
    ),
    Option(
        "--timeline",
        "DRILL_TIMELINE",
        "latest",
        "which timeline a recovery follows: latest, current (the backup's own) or a number",
    ),
    Option(
        "--set",
        "DRILL_SET",
        None,
        "which backup of a repository is recovered (pgBackRest's label, Barman's ID)",
        unset="the newest",
    ),
    Option(
        "--wal",
        "DRILL_WAL",
        None,
        "where the archived WAL of a physical backup lies: a folder, or a place like BACKUP_PATH",
        unset="in its repository, or beside it",
    ),
)

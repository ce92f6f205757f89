"""The table of the drill's options; errors in their values."""

from __future__ import annotations

from restore_drill.config.option import Option
from restore_drill.core.errors import UsageError

TARGETS = ("embedded", "container", "database")


OPTIONS = {
    option.name: option
    for option in (
        Option(
            "--backup",
            "DRILL_BACKUP",
            None,
            "the backup to drill",
            unset="the newest in BACKUP_PATH",
        ),
        Option("--target", "DRILL_TARGET", "embedded", "where to restore: " + ", ".join(TARGETS)),
        Option("--criteria", "DRILL_CRITERIA", None, "criteria file", unset="drill/criteria.toml"),
        Option(
            "--reference",
            "DRILL_REFERENCE",
            None,
            "reference file that the schema must match",
            unset="reference.txt beside the criteria file",
        ),
        Option("--report-dir", "DRILL_REPORT_DIR", "drill-report", "directory for the reports"),
        Option("--max-backup-age", "DRILL_MAX_BACKUP_AGE", "26h", "RPO: maximum age of the backup"),
        Option(
            "--max-restore-time",
            "DRILL_MAX_RESTORE_TIME",
            None,
            "RTO: maximum time of the restore",
            unset="2min for up to 1 GB of SQL, else none",
        ),
        Option(
            "--max-verify-time",
            "DRILL_MAX_VERIFY_TIME",
            None,
            "maximum time of the verification",
            unset="30s for up to 1 GB of SQL, else none",
        ),
        Option(
            "--max-total-time",
            "DRILL_MAX_TOTAL_TIME",
            None,
            "maximum time of the whole drill",
            unset="5min for up to 1 GB of SQL, else none",
        ),
        Option(
            "--timeout", "DRILL_TIMEOUT", None, "hard time limit of the whole drill", unset="none"
        ),
        Option(
            "--jobs", "DRILL_JOBS", None, "connections for restore and verification", unset="cores"
        ),
        Option(
            "--production-settings",
            "DRILL_PRODUCTION_SETTINGS",
            None,
            "restore as a runbook would: default server settings, one connection "
            "(formerly --faithful)",
            is_flag=True,
            formerly="faithful",
        ),
        Option(
            "--heapallindexed",
            "DRILL_HEAPALLINDEXED",
            None,
            "also look up each row in large indexes that the throwaway server has just built "
            "(formerly --thorough)",
            is_flag=True,
            formerly="thorough",
        ),
        Option(
            "--require-backup",
            "DRILL_REQUIRE_BACKUP",
            None,
            "exit with 6 if no backup is named, instead of drilling the sample shop",
            is_flag=True,
        ),
        Option(
            "--image",
            "DRILL_IMAGE",
            None,
            "PostgreSQL image for --target container",
            unset="postgres:MAJOR",
        ),
        Option(
            "--redis-image",
            "DRILL_REDIS_IMAGE",
            None,
            "Redis image for --target container",
            unset="none: embedded Redis",
        ),
        Option(
            "--in-place",
            "",
            None,
            "with --target database: reset the live database itself, behind a safety snapshot, "
            "instead of restoring into a new one beside it",
            is_flag=True,
        ),
        Option(
            "--promote",
            "",
            None,
            "with --target database: give the live database's name to the restored one when it "
            "is proved; the old one stays whole beside it",
            is_flag=True,
        ),
        Option(
            "--confirm",
            "",
            None,
            "name of the live database, which --promote and --in-place ask for",
        ),
        Option(
            "--after",
            "DRILL_AFTER",
            None,
            "with --in-place, after a passed drill: keep the backup in the live database, or "
            "rollback to what it was before",
            unset="keep",
        ),
        Option(
            "--accept-loss",
            "",
            None,
            "promote also where the live database differs from the restored one, or the backup is "
            "too old",
            is_flag=True,
        ),
        Option(
            "--create-database",
            "",
            None,
            "with --target database: go on where the server has no database of that name, since it "
            "was dropped, or the server is new; with --promote, make it",
            is_flag=True,
        ),
        Option(
            "--create-roles",
            "",
            None,
            "make the roles that the backup needs and a live server lacks, from the role file or "
            "with passwords of yours; they are dropped again unless promoted",
            is_flag=True,
        ),
        Option(
            "--globals",
            "DRILL_GLOBALS",
            None,
            "role file for --create-roles (pg_dumpall --globals-only)",
            unset="the one beside the backup",
        ),
        Option(
            "--role-passwords",
            "DRILL_ROLE_PASSWORDS",
            None,
            "file (mode 0600) of lines role:password that --create-roles needs and no file has",
            unset="asked for on a terminal",
        ),
        Option(
            "--max-lock-wait",
            "DRILL_MAX_LOCK_WAIT",
            "10s",
            "how long --promote and --in-place wait for open transactions of the live database",
        ),
        Option(
            "--keep-snapshots",
            "DRILL_KEEP_SNAPSHOTS",
            None,
            "with --in-place: how many safety snapshots of the database are kept",
            unset="all",
        ),
        Option("--confirm-reset", "", None, "--in-place --confirm X in one"),
        Option("--sample-rows", "DRILL_SAMPLE_ROWS", "1000", "number of cards in the sample shop"),
    )
}

VARIABLES = {"backup_path": "BACKUP_PATH", "database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}
"""Settings without an option: URLs hold passwords, and an argument is public on its machine."""
OFFLINE = "DRILL_OFFLINE"
"""Variable that forbids the network."""

BUDGETS = ("max_restore_time", "max_verify_time", "max_total_time")


def usage_error(name: str, what: str, remedy: str) -> UsageError:
    """Usage error about the setting `name`, which names its option and its variable."""
    if name in VARIABLES:
        names = VARIABLES[name]
    else:
        option = OPTIONS[name]
        names = f"{option.flag} ({option.variable})" if option.variable else option.flag
    return UsageError(f"{names} {what}; {remedy}")

"""The table of the drill's options; errors in their values."""

from __future__ import annotations

from restore_drill.config.choice_options import CHOICE_OPTIONS
from restore_drill.config.decrypt_options import DECRYPT_OPTIONS
from restore_drill.config.leave_options import LEAVE_OPTIONS
from restore_drill.config.live_options import LIVE_OPTIONS
from restore_drill.config.option import Option
from restore_drill.config.recovery_options import RECOVERY_OPTIONS
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
        Option(
            "--history",
            "DRILL_HISTORY",
            None,
            "file or s3://bucket/folder where drills are recorded",
            unset=".drill/history.jsonl in BACKUP_PATH",
        ),
        Option(
            "--machine",
            "DRILL_MACHINE",
            None,
            "name of this machine in the history: times are compared with those of the same name",
            unset="its host name",
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
            "--timeout",
            "DRILL_TIMEOUT",
            None,
            "hard time limit of the whole drill",
            unset="none",
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
            "also look up every row in large indexes that the throwaway server has just "
            "built (formerly --thorough)",
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
            "--redis-backup",
            "DRILL_REDIS_BACKUP",
            None,
            "the backup of Redis to drill",
            unset="the newest in BACKUP_PATH/redis",
        ),
        Option(
            "--show-keys",
            "",
            None,
            "show up to 10 primary keys of the rows that a finding is about, on the terminal only",
            is_flag=True,
        ),
        *CHOICE_OPTIONS,
        *RECOVERY_OPTIONS,
        *DECRYPT_OPTIONS,
        *LEAVE_OPTIONS,
        *LIVE_OPTIONS,
        Option("--sample-rows", "DRILL_SAMPLE_ROWS", "1000", "number of cards in the sample shop"),
    )
}

VARIABLES = {
    "backup_path": "BACKUP_PATH",
    "database_url": "DATABASE_URL",
    "redis_url": "REDIS_URL",
    "pushgateway": "DRILL_PUSHGATEWAY",
    "decrypt_secret": "DRILL_DECRYPT_KEY",
    "decrypt_command": "DRILL_DECRYPT_COMMAND",
}
"""Settings without an option: they hold secrets, and an argument is public on its machine."""
OFFLINE = "DRILL_OFFLINE"
"""Variable that forbids the network."""

BUDGETS = ("max_restore_time", "max_verify_time", "max_total_time")


def usage_error(name: str, what: str, remedy: str) -> UsageError:
    """Usage error about the setting `name`, which names its option and its variable."""
    if name in VARIABLES:
        names = VARIABLES[name]
    elif name not in OPTIONS:  # of a command beside the drill
        names = f"--{name}"
    else:
        option = OPTIONS[name]
        names = f"{option.flag} ({option.variable})" if option.variable else option.flag
    error = UsageError(f"{names} {what}; {remedy}")
    error.setting = name
    return error

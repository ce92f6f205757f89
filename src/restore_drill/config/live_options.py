"""The options that concern a live database."""

from __future__ import annotations

from restore_drill.config.option import Option

LIVE_OPTIONS = (
    Option(
        "--in-place",
        "",
        None,
        "with --target database: reset the live database itself, after a safety snapshot, "
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
        "rollback to its earlier state",
        unset="keep",
    ),
    Option(
        "--accept-loss",
        "",
        None,
        "promote even if the live database differs from the restored one or the backup is too old",
        is_flag=True,
    ),
    Option(
        "--create-database",
        "",
        None,
        "with --target database: go on if the server has no such database, because it was "
        "dropped or the server is new; with --promote, create it",
        is_flag=True,
    ),
    Option(
        "--create-roles",
        "",
        None,
        "create the roles that the backup needs and a live server lacks, from the role "
        "file or with passwords of yours; they are dropped again unless promoted",
        is_flag=True,
    ),
    Option(
        "--globals",
        "DRILL_GLOBALS",
        None,
        "role file for --create-roles (pg_dumpall --globals-only)",
        unset="the file beside the backup",
    ),
    Option(
        "--role-passwords",
        "DRILL_ROLE_PASSWORDS",
        None,
        "file (mode 0600) of lines role:password, for passwords that are in no role file",
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
    Option("--confirm-reset", "", None, "combines --in-place and --confirm"),
)
"""A part of the table of options, which stands in the reports and the documentation as a whole."""

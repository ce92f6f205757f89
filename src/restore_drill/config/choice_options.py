"""Options of which backup is drilled, among many."""

from __future__ import annotations

from restore_drill.config.option import Option

CHOICE_OPTIONS = (
    Option(
        "--series",
        "DRILL_SERIES",
        None,
        "which series of backups in BACKUP_PATH to drill: names or patterns, separated by commas",
        unset="all, one after another",
    ),
    Option(
        "--pick",
        "DRILL_PICK",
        "newest",
        "which backup of a series: newest, oldest, random, weekly, a number (2 is the one before "
        "the newest), a day (2026-11-20) or a file name",
    ),
)

"""The drill's own options by group, as `restore-drill drill --help` shows them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from restore_drill.config.option import Option
from restore_drill.config.options import OPTIONS

WIDTH, COLUMN = 100, 27
UNBROKEN = "\N{NO-BREAK SPACE}"

GROUPS = {
    "The backup": (
        "backup", "redis_backup", "series", "pick", "decrypt_key", "decrypt_options",
        "require_backup", "sample_rows", "cache", "cache_size",
    ),
    "A physical backup": ("recover_to", "timeline", "set", "wal"),
    "Where it is restored": (
        "target", "promote", "in_place", "confirm", "confirm_reset", "after", "accept_loss",
        "keep_snapshots", "create_database", "max_lock_wait", "create_roles", "globals",
        "role_passwords", "image", "redis_image", "jobs", "production_settings", "keep",
        "keep_for",
    ),
    "What must hold": ("criteria", "reference", "heapallindexed"),
    "Time and age": (
        "max_backup_age", "max_restore_time", "max_verify_time", "max_total_time", "timeout",
    ),
    "Reports": (
        "report_dir", "keep_reports", "show_keys", "sign", "history", "machine", "metrics_file",
    ),
}  # fmt: skip
"""Names of the options in each group; a test compares them with the table."""

VARIABLES_HELP = (
    (
        "BACKUP_PATH",
        "directory of the backups: in its db/ folder, directly in it, or in folders below",
    ),
    ("DATABASE_URL", "your live database, only for --target database"),
    ("REDIS_URL", "your Redis; if unset, an embedded one is started"),
    ("DRILL_DECRYPT_KEY", "the key or passphrase itself; DRILL_DECRYPT_COMMAND prints it"),
    ("DRILL_NOTIFY", "whom a red drill alerts (apprise URLs); also DRILL_ISSUES, DRILL_PING"),
    ("DRILL_PUSHGATEWAY", "URL of a Prometheus Pushgateway that gets the metrics of each drill"),
)

PYTEST_HELP = (
    ("-k TEXT", "only criteria whose names match: -k redis, -k 'cards and not redis'"),
    ("-m STAGE", "a stage: select, snapshot, restore, verify, redis, system; or a tag"),
    ("--collect-only -q", "list the criteria without running them"),
    ("--dry-run", "show what the drill would do, and how long that takes; start nothing"),
    ("--prove", "damage copies of the backup and check that each one fails the drill"),
    ("-v, -q, -x", "one line per criterion; less output; stop at the first failure"),
    ("PATH...", "more criteria: test files or folders"),
)


def drill_help(called: str) -> str:
    """Help of the drill, which is `called` so."""
    lines = [f"usage: {called} [OPTIONS] [PATH...]", "", "Drill the latest backup."]
    for title, names in GROUPS.items():
        lines += ["", f"{title}:", *(line for name in names for line in of_option(OPTIONS[name]))]
    lines += ["", "From the environment, or .env:", *entries(VARIABLES_HELP)]
    lines += ["", "Options of pytest (its others work too):", *entries(PYTEST_HELP)]
    return "\n".join(lines)


def of_option(option: Option) -> Iterator[str]:
    """The lines of one option: its flag, what it is, its default and its variable."""
    text = option.help
    text += f" [default: {option.otherwise}]" if option.otherwise else ""
    text += f" [env:{UNBROKEN}{option.variable}]" if option.variable else ""
    flag = option.flag if option.is_flag else f"{option.flag} X"
    yield from entries([(flag, text)])


def entries(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Each of `rows` as a word and its meaning, in two columns."""
    for word, meaning in rows:
        lines = textwrap.wrap(meaning, WIDTH - COLUMN, break_on_hyphens=False)
        for first, line in zip_longest([f"  {word}"], lines, fillvalue=""):
            yield f"{first:<{COLUMN}}{line.replace(UNBROKEN, ' ')}"

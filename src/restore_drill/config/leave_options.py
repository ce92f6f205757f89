"""Options of what a drill leaves beside its reports."""

from __future__ import annotations

from restore_drill.config.option import Option

LEAVE_OPTIONS = (
    Option(
        "--keep-reports",
        "DRILL_KEEP_REPORTS",
        "20",
        "how many runs keep their folders in the report directory; older ones are removed",
    ),
    Option(
        "--sign",
        "DRILL_SIGN_KEY",
        None,
        "ed25519 key (PEM file; the variable may hold the key itself) that signs result.json",
        unset="not signed",
    ),
    Option(
        "--metrics-file",
        "DRILL_METRICS_FILE",
        None,
        "file (*.prom) for Prometheus's textfile collector",
        unset="none",
    ),
    Option(
        "--keep",
        "DRILL_KEEP",
        "never",
        "whether the restored server, and the drill's Redis, stay up: never, on-failure, always",
    ),
    Option(
        "--cache", "DRILL_CACHE", None, "folder that keeps fetched backups", unset="none are kept"
    ),
    Option("--cache-size", "DRILL_CACHE_SIZE", "20GB", "how much it keeps"),
    Option("--keep-for", "DRILL_KEEP_FOR", "4h", "how long a kept server stays up"),
)

"""Options of what a drill leaves beside its reports."""

from __future__ import annotations

from restore_drill.config.option import Option

LEAVE_OPTIONS = (
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
)

"""The words that all reports share: the verdict in a line, facts as label and text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from restore_drill.core.errors import NOT_REACHED
from restore_drill.core.units import show_bytes, show_count, show_duration, show_time
from restore_drill.results.result import Result
from restore_drill.selection.series import series_of

VERDICTS = {
    "passed": "PASSED",
    "sample": "SAMPLE, not your backup",
    "failed": "FAILED",
    "could-not-run": "COULD NOT RUN",
    "incomplete": "INCOMPLETE",
}

OTHERS = {
    "failed": "failed",
    "error": "could not run",
    "waived": "waived",
    "skipped": "skipped",
    "not_run": "not run",
}
"""Words for the outcomes of criteria that have not passed."""

RESTORE_REPORTED = "the restore reported"
"""Begins the warning of a selection whose restore had errors that none of its criteria reports."""
SAMPLE = "No database backup of yours was drilled: set BACKUP_PATH or use --backup"

LABELS = {
    "sha256": "SHA-256",
    "bytes": "size",
    "taken_at": "taken",
    "taken_at_source": "time taken from",
    "age_seconds": "age",
    "lost": "not as before the drill",
    "source_version": "dumped from",
    "dumped_by": "dumped by",
    "server_version": "server",
    "used_memory": "memory used",
    "maxmemory": "memory limit",
    "maxmemory_policy": "eviction policy",
    "latency_median": "latency (median)",
    "latency_p90": "latency (90 %)",
    "latency_p99": "latency (99 %)",
    "latency_worst": "latency (worst)",
    "own": "yours (REDIS_URL)",
    "other_keys": "keys in other databases",
    "file_keys": "keys in the file",
    "file_expires": "with a TTL",
    "file_expired": "expired",
    "load": "time to load",
    "load_seconds": "time to load",
    "write": "write test",
}
"""Labels of keys that do not speak for themselves."""


def backup_name(backup: Mapping[str, Any]) -> str:
    """Name of the `backup` of a result, with the folders below its place; empty where unknown."""
    return str(backup.get("name") or Path(str(backup.get("path") or "")).name)


def series_of_result(result: Mapping[str, Any]) -> str | None:
    """Series that the drill of `result` was of, None where that is not known."""
    return result.get("series") or series_in(result["backup"] or {})


def series_in(backup: Mapping[str, Any]) -> str | None:
    """Series of the `backup` of a result, None where there is none."""
    path = backup.get("path")
    return backup.get("series") or (series_of(Path(path)) if path else None)


def headline_of(result: Result) -> str:
    """`Restore drill: PASSED`."""
    return f"Restore drill: {VERDICTS[result['verdict']]}"


def count(result: Result, outcome: str) -> int:
    """Number of criteria with this outcome."""
    return int(result["counts"][outcome])


def tally_of(result: Result) -> str:
    """`28 of 36 criteria passed, 3 failed, 5 skipped`: every criterion that was selected."""
    counts = result["counts"]
    others = [f"{counts[key]:,} {word}" for key, word in OTHERS.items() if counts[key]]
    total = show_count(counts["criteria"], "criterion", "criteria")
    return ", ".join([f"{counts['passed']:,} of {total} passed", *others])


def problems_of(result: Result) -> list[dict[str, Any]]:
    """Checks that failed, then those that could not run."""
    found = [check for check in result["checks"] if check["outcome"] in ("failed", "error")]
    return sorted(found, key=lambda check: check["outcome"] != "failed")


def waived_of(result: Result) -> list[dict[str, Any]]:
    """Checks that failed in a way that a waiver of the criteria file accepts for now."""
    return [check for check in result["checks"] if check["outcome"] == "waived"]


def first_line(message: str) -> str:
    """First line of a message; never empty."""
    return message.strip().split("\n")[0] or "no message"


def depends(message: str) -> bool:
    """Whether the criterion was not reached because of another one."""
    return message.startswith(NOT_REACHED)


def unreached_of(result: Result) -> list[dict[str, Any]]:
    """Checks that were not reached because of another one."""
    return [check for check in result["checks"] if depends(check["message"])]


def short_name(nodeid: str) -> str:
    """Criterion without its module: `test_table_has_rows[public.cards]`."""
    return nodeid.split("::", maxsplit=1)[-1]


def describe(facts: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Label and text of each known fact, in their order; what is unknown is left out."""
    known = {key: value for key, value in (facts or {}).items() if value not in (None, "", [], {})}
    return [(label_of(key), text_of(key, value)) for key, value in known.items()]


def label_of(key: str) -> str:
    """Label of a key of result.json: `key_count` is `key count`."""
    for suffix in ("_seconds", "_bytes"):
        key = key if key in LABELS else key.removesuffix(suffix)
    return LABELS.get(key, key.replace("_", " "))


def text_of(key: str, value: Any) -> str:
    """Text of the value under `key`, in the unit that the key names."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{label}: {text}" for label, text in describe(value))
    if isinstance(value, list):
        return ", ".join(text_of("", item) for item in value)
    if isinstance(value, int | float):
        return number_of(key, value)
    return time_of(value) if key.endswith("_at") else str(value)


def number_of(key: str, value: float) -> str:
    """Number with the unit that `key` names; a server's number as its version."""
    if key.startswith("latency"):
        return f"{value * 1000:.2f} ms"
    if key.endswith("seconds"):
        return show_duration(value)
    if key == "maxmemory" and not value:
        return "none"
    if key.endswith(("bytes", "memory")):
        return show_bytes(value)
    if key.endswith("version") and isinstance(value, int) and value >= 10000:
        return f"{value // 10000}.{value % 10000}"
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def time_of(value: str) -> str:
    """ISO time as people read it; any other text as it is."""
    try:
        return show_time(datetime.fromisoformat(value))
    except ValueError:
        return value


def had_errors(result: Result) -> bool:
    """Whether the restore reported errors that none of the selected criteria is about."""
    return any(warning.startswith(RESTORE_REPORTED) for warning in result["warnings"])

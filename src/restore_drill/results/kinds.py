"""What the criteria that failed speak of: the backup itself, a budget, Redis or its backup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restore_drill.core.errors import UNREACHED
from restore_drill.results.result import Result
from restore_drill.results.words import short_name

ALONE = {
    "time": "make recovery faster or allow more time, then drill again",
    "target": "name a target that its WAL reaches, or drill it without --recover-to",
    "age": "find out why there is no newer backup, take one and drill it",
    "redis_age": "find out why there is no newer backup of Redis, take one and drill it",
}
"""What to do next where nothing else failed."""


def failed_kinds(result: Result) -> set[str]:
    """What failed: `time`, `age`, `schedule`, `redis`, `coherence`; empty: the backup itself.

    `target` is a point in time that is not in the WAL, which says nothing of the backup.
    `redis` is the user's own server, `redis_backup` the backup of Redis, `redis_age` its age.
    """
    return {kind_of_failure(check) for check in result["checks"] if check["outcome"] == "failed"}


def kind_of_failure(check: Mapping[str, Any]) -> str:
    """What a `check` that failed speaks of, see `failed_kinds`."""
    if str(check["message"]).startswith(UNREACHED):
        return "target"
    stage, budget = stage_of(check), str(check["budget"])
    if budget == "age" and stage in ("redis", "redis_backup"):
        return "redis_age"
    if stage == "redis_backup":
        return stage
    return budget or (stage if stage in ("redis", "coherence") else "")


def stage_of(check: Mapping[str, Any]) -> str:
    """Stage of a `check`; the backup of Redis is one by itself, beside the user's own server."""
    is_backup = short_name(check["id"]).startswith("test_redis_backup_")
    return "redis_backup" if is_backup else str(check["stage"])


def next_step(result: Result) -> str:
    """What to do next; empty where the verdict asks for nothing."""
    kinds = failed_kinds(result)
    if len(kinds) == 1 and (step := ALONE.get(*kinds)):
        return step
    if kinds - {"redis", "redis_backup", "redis_age", "coherence", "schedule"}:
        return "fix the problems listed above or take a new backup, then drill again"
    if kinds or result["verdict"] == "could-not-run":
        return "fix the problems listed above, then drill again"
    return ""

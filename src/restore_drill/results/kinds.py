"""What the criteria that failed speak of: the backup itself, a budget, Redis or its backup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restore_drill.core.errors import UNREACHED
from restore_drill.results.result import Result
from restore_drill.results.words import short_name


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

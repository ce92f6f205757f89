"""What a backup is held to: a pass says nothing of criteria that have come since."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from restore_drill.config.criteria_file import reference_beside, sql_folder_of
from restore_drill.config.options import BUDGETS
from restore_drill.config.settings import Settings

OPTIONS = ("target", "max_backup_age", *BUDGETS, "heapallindexed", "production_settings")
"""Options that count: what a machine sets, and where things lie, proves no more and no less."""


def terms_of(settings: Settings) -> str:
    """The criteria and limits of `settings` in few characters, on whatever machine they lie.

    Of files it is their content that counts: the criteria file, its SQL criteria, the reference
    beside it. Tests in Python do not.
    """
    criteria, found = settings.criteria, {"": settings.criteria.sha256}
    if reference := reference_beside(criteria):
        found["reference"] = digest_of(reference)
    folder = sql_folder_of(criteria)
    found |= {str(each.relative_to(folder)): digest_of(each) for each in folder.rglob("*.sql")}
    asked = [getattr(settings, name) for name in OPTIONS]
    return sha256(json.dumps([asked, found], sort_keys=True).encode()).hexdigest()[:16]


def digest_of(path: Path) -> str:
    """SHA-256 of the file at `path`, empty where it cannot be read: a drill says so."""
    with suppress(OSError):
        return sha256(path.read_bytes()).hexdigest()
    return ""

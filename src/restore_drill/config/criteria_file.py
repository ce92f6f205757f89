"""Which criteria file counts, and what lies beside it."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from restore_drill.config.criteria import Criteria
from restore_drill.config.values import path_of

REPOSITORY = re.compile(r"^\s*(?:pgbackrest\s*=|\[backup\.pgbackrest\])", re.MULTILINE)
"""How a criteria file names one."""
REFERENCE = "reference.txt"
"""Name of the reference that lies beside the criteria file."""


def reference_beside(criteria: Criteria) -> Path | None:
    """The reference beside the criteria file, None where there is none."""
    path = criteria.path.parent / REFERENCE
    return path if path.is_file() else None


def sql_folder_of(criteria: Criteria) -> Path:
    """Where its SQL criteria lie: in the folder that it names, else in `sql` beside it."""
    return criteria.sql_folder or criteria.path.parent / "sql"


def criteria_path(
    given: dict[str, str | None], *, here: Path, root: Path, own: Path | None = None
) -> Path:
    """The criteria file: as given, else of the sample, of a user's own folder, of the suite."""
    default = (own or root / "drill") / "criteria.toml"
    is_named = given["backup"] is not None or given["backup_path"] is not None
    if not is_named and not names_repository(default):
        default = root / "drill/sample.toml"
    return path_of(given, "criteria", here) or default


def names_repository(path: Path) -> bool:
    """Whether the criteria file at `path` names a repository, which is a backup to drill."""
    with suppress(OSError):
        return REPOSITORY.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    return False

"""How `restore-drill backup` names what it takes: by the database, or as the folder's own go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from restore_drill.core.errors import UsageError
from restore_drill.manifest.file import SUFFIX

ONCE = "backup_{time}"
"""How backups of every database were named once."""


def template_in(folder: Path, database: str) -> str:
    """Template of the name in `folder`, where none is given: by the database's name.

    Where backups lie that are called `backup_{time}`, as all once were, and none by the database's
    name, that name goes on: history, sizes and drift are kept for each name.
    """
    by_database = re.sub(r"[^\w.+-]|^\.", "_", database) + "_{time}"
    goes_on = holds(folder, ONCE) and not holds(folder, by_database)
    return ONCE if goes_on else by_database


def holds(folder: Path, template: str) -> bool:
    """Whether a backup named by `template` lies in `folder`."""
    name = re.compile(re.escape(template.removesuffix("{time}")) + r"\d{8}_\d{6}(\.|$)")
    try:
        return any(name.match(path.name) for path in folder.iterdir())
    except OSError:  # it is made yet, or it can only be written to
        return False


def namer(template: str, database: str, suffix: str) -> Callable[[datetime], str]:
    """Function that makes the backup's name of its time; UsageError for a template that cannot."""

    def name(taken_at: datetime) -> str:
        return template.format(time=f"{taken_at:%Y%m%d_%H%M%S}", database=database) + suffix

    try:
        made = name(datetime(2000, 1, 1))  # noqa: DTZ001 - any time will do
    except (KeyError, IndexError, ValueError, AttributeError):
        made = ""
    if not made or "/" in made or made.startswith(".") or made.endswith(SUFFIX):
        raise UsageError(
            f"--name cannot be {template!r}: write a file name of {{time}} and {{database}}"
        )
    return name

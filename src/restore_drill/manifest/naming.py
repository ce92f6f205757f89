"""How `restore-drill backup` names what it takes: by the database, or as the folder's own go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from restore_drill.core.errors import UsageError
from restore_drill.manifest.file import SUFFIX

ONCE = "backup_{time}"
"""How backups of every database were named once."""


def template_among(names: Collection[str], database: str) -> str:
    """Template of the name beside these `names`, where none is given: by the database's name.

    Where backups lie that are called `backup_{time}`, as all once were, and none by the database's
    name, that name goes on: history, sizes and drift are kept for each name.
    """
    template = by_database(database) + "_{time}"
    goes_on = holds(names, ONCE) and not holds(names, template)
    return ONCE if goes_on else template


def by_database(database: str) -> str:
    """The name of a database as file names have it."""
    return re.sub(r"[^\w.+-]|^\.", "_", database)


def holds(names: Iterable[str], template: str) -> bool:
    """Whether one of `names` was made of `template`."""
    name = re.compile(re.escape(template.removesuffix("{time}")) + r"\d{8}_\d{6}(\.|$)")
    return any(map(name.match, names))


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

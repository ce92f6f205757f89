"""Which of the files in a tar or zip archive is the dump."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

COMPANIONS = (".sha256", ".sha512", ".md5", ".json", ".log", ".txt", ".sig", ".md")
"""How names end of what lies beside a dump."""


def is_dump_name(name: str) -> bool:
    """Whether a file of that name can be a dump: no companion of one, nothing hidden."""
    base = PurePosixPath(name).name
    return not base.startswith(".") and not base.lower().endswith(COMPANIONS)


def only_dump(names: Iterable[str]) -> str:
    """The one of `names` that can be a dump; empty where there is none, or more than one."""
    found = [name for name in names if is_dump_name(name)]
    return found[0] if len(found) == 1 else ""


def several(first: str, second: str) -> CouldNotRun:
    """An archive holds more than one file that can be a dump."""
    return CouldNotRun(
        f"the archive around the dump holds several files, {first} and {second} among them",
        remedy=remedy_for("foreign", "several"),
    )

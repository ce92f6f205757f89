"""What a message or an issue is about: the database whose backups are drilled."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restore_drill.results.result import Result
from restore_drill.results.words import series_in
from restore_drill.selection.series import what_in

SAMPLE = "sample"


@dataclass(frozen=True)
class Subject:
    """What is drilled, by its `name`; its pass speaks for `others` too.

    A drill that found no backup is of any series of its folder: so it is for the folder, and the
    next pass there speaks for it. `folder` is the path of that: others may have its name.
    """

    name: str
    others: tuple[str, ...] = ()
    folder: str = ""

    @property
    def mark(self) -> str:
        """What marks an issue about it."""
        return mark_of(self.name, self.folder)

    @property
    def marks(self) -> Sequence[str]:
        """What marks issues that its pass closes."""
        return [mark_of(name, self.folder) for name in (self.name, *self.others)]


def mark_of(name: str, folder: str) -> str:
    """A comment that an issue about `name` in `folder` holds, and that nobody sees."""
    about = f"{name}\0{folder}".encode(errors="surrogateescape")
    return f"<!-- restore-drill {hashlib.sha256(about).hexdigest()[:16]} -->"


def subject_of(result: Result, name: str, backup_path: Path | None) -> Subject:
    """What the drill of `result` was about; `name` is what the user calls it, or empty."""
    if result["sample"]:
        return Subject(SAMPLE)
    backup = result["backup"] or {}
    path = backup.get("path")
    series = series_in(backup) or ""
    above = backup_path or (Path(path).parent if path else None)
    folder, at = folder_name(backup_path), whole(above) if above else ""
    if backup.get("picked"):  # of its own: neither opens nor closes what is about the newest
        about = f"{name or series.strip('/')}: {backup['name']}"
        return Subject(about, (), "" if name else at)
    if name:  # of several series that are called so each has its own
        is_one = not series or len(result.get("run_of") or ()) < 2
        return Subject(name if is_one else f"{name}: {series.strip('/')}")
    return Subject(series.strip("/"), (folder,), at) if series else Subject(folder, (), at)


def whole(folder: Path) -> str:
    """Absolute path of `folder`; of a bucket what its URL has become as a path."""
    return str(folder) if ":/" in str(folder) else os.path.abspath(folder)  # noqa: PTH100


def folder_name(backup_path: Path | None) -> str:
    """What stands for any series of the folder of the backups: `shop/*`."""
    return f"{what_in(backup_path.name) or backup_path.name}/*" if backup_path else "*"

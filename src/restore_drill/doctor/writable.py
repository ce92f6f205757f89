"""Whether a drill could write its files: found out by a file without a name, which leaves none."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from restore_drill.config.options import usage_error
from restore_drill.config.remote import histories
from restore_drill.config.settings import Settings
from restore_drill.core.errors import UsageError


def can_make(folder: Path) -> bool:
    """Whether files can be made in `folder`, which may have to be made itself.

    Permissions are not enough: root has them all, and /proc takes no file all the same.
    """
    try:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        with tempfile.TemporaryFile(dir=there):
            return True
    except OSError:
        return False


def can_append(path: Path) -> bool:
    """Whether lines can be added to the file at `path`, or it can be made.

    Whether a key may write to a bucket shows when it does.
    """
    if path in histories:
        return True
    try:
        is_there = path.exists()
    except OSError:
        return False
    return path.is_file() and os.access(path, os.W_OK) if is_there else can_make(path.parent)


def refused_at_start(settings: Settings) -> list[str]:
    """Errors that a drill ends with before its first stage."""
    found = []
    if not can_make(settings.report_dir):
        what = f"names {settings.report_dir}, where no report can be written"
        found.append(str(usage_error("report_dir", what, "name another directory")))
    if settings.leaves.sign is not None:
        from restore_drill.results.signature import load_signer  # noqa: PLC0415 - few drills sign

        try:
            load_signer(settings.leaves.sign)
        except UsageError as error:
            found.append(str(error))
    return found

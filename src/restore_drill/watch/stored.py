"""The bytes of a history, and what an entry on one of its lines is: for all who read one."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from restore_drill.config.remote import histories
from restore_drill.core.errors import CouldNotRun

UNKNOWN = (ValueError, RecursionError)
"""What a line that is no JSON, or no text, raises."""


def stored(path: Path) -> bytes:
    """All that lies at `path`, nothing where there is no file; of a bucket, its entries in order.

    Raises CouldNotRun where it cannot be read, or is no file: a pipe or device would never end.
    """
    if path in histories:
        from restore_drill.watch.bucket import entries_of, lines_in  # noqa: PLC0415 - few have one

        return lines_in(entries_of(path))
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        if path.is_symlink():
            raise CouldNotRun(
                f"the history {path} is a link to a file that does not exist"
            ) from None
        return b""
    except OSError as error:
        raise CouldNotRun(f"the history {path} cannot be read: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise CouldNotRun(f"the history {path} cannot be read: it is not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        raise CouldNotRun(f"the history {path} cannot be read: {error.strerror}") from None
    finally:
        os.close(handle)


def ask_again(path: Path) -> None:
    """Forget that the history in a bucket at `path` could not be read: it may answer by now."""
    if path in histories:
        from restore_drill.watch.bucket import unread  # noqa: PLC0415 - few have one

        unread.pop(path, None)


def entry_on(line: bytes) -> dict[str, Any] | None:
    """The entry on `line`; None where it is no whole one: torn, no JSON, or no text at all.

    What is none here is believed by nobody: neither counted as a drill, nor excused as changed.
    """
    try:
        raw = json.loads(line.decode())
    except UNKNOWN:
        return None
    return raw if isinstance(raw, dict) else None

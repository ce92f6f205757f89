"""A folder for each run in the report directory: `2026-11-27T0500Z-shop/`; old ones are pruned."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import count
from pathlib import Path

from restore_drill.results.newest import NAME, RESULT, alone_in, latest_in

LONGEST = 80
"""Bytes of what stands behind the time in a folder's name: file systems allow 255 in all."""
AT_WORK = 3600.0
"""Where there are no locks, a folder that was changed so many seconds ago may be one at work."""


def folder_name(at: datetime, what: str) -> str:
    """Name of the folder of a run that began `at`, of the database or series `what`."""
    safe = re.sub(r"[^\w.-]+", "-", normal(what))
    cut = safe.encode()[:LONGEST].decode(errors="ignore").strip("-_.")
    return f"{at.astimezone(UTC):%Y-%m-%dT%H%MZ}" + (f"-{cut}" if cut else "")


def make_folder(top: Path, name: str) -> Path:
    """A new folder `name` in `top`, with a number where there is one of that name; OSError."""
    for number in count(1):
        folder = top / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Keep `folder` from being pruned by other drills; where there are no locks, nothing does."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            flock(handle, LOCK_EX | LOCK_NB)
        yield
    finally:
        os.close(handle)


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove the oldest folders of runs beside `folder` beyond `keep`; gives those removed.

    Never `folder`, the one that `latest` names, one of a drill at work, a link, or one that no
    drill has made (see `is_own`). OSError where one could not be removed; others are.
    """
    top, removed, failed = folder.parent, [], None
    with alone_in(top):
        spared = {folder.name, latest_in(top)}
        for old in reversed(runs_in(top)[keep:]):
            try:
                if old.name not in spared and is_own(old) and not is_at_work(old):
                    remove(old)
                    removed.append(old)
            except OSError as error:
                failed = error
    if failed:
        raise failed
    return removed


def remove(folder: Path) -> None:
    """Remove `folder`, its result last: what an interrupt leaves is pruned the next time."""
    for path in folder.iterdir():
        if path.name != RESULT:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    shutil.rmtree(folder)


def runs_in(top: Path) -> list[Path]:
    """Folders of runs in `top`, the newest first."""
    found = []
    with os.scandir(top) as entries:
        for entry in entries:
            if NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    result = (top / entry.name / RESULT).lstat()
                    if stat.S_ISREG(result.st_mode):
                        found.append((entry.name[:16], result.st_mtime_ns, entry.name))
    return [top / name for *_, name in sorted(found, reverse=True)]


def is_own(folder: Path) -> bool:
    """Whether a drill has made `folder`: the result in it names it. A copy has another name."""
    try:
        result = json.loads((folder / RESULT).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    named = result.get("run_folder") if isinstance(result, dict) else None
    # File systems of macOS may give a name in another form than the one that it was made with.
    return isinstance(named, str) and normal(named) == normal(folder.name)


def normal(name: str) -> str:
    """The form of `name` that all file systems agree on."""
    return unicodedata.normalize("NFC", name)


def is_at_work(folder: Path) -> bool:
    """Whether a drill may still be writing into `folder`."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return time.time() - os.fstat(handle).st_mtime < AT_WORK
    finally:
        os.close(handle)
    return False

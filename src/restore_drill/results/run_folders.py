"""A folder for each run below the report directory, where the newest one's files lie too.

`2026-11-27T0500Z-shop/` holds what a run has written. The report directory holds the same files for
all who know their paths, and `latest`, a link to the folder. They are hard links, as a symbolic one
is left out of archives by some who upload reports (a runner of GitLab compresses regular files
alone).
"""

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

RESULT = "result.json"
FILES = ("report.html", "junit.xml", RESULT, "result.dsse.json")
"""Names of the files that a run writes."""
LATEST = "latest"
NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{4}Z(-.+)?", re.DOTALL)
LONGEST = 80
"""Bytes of what stands behind the time in a folder's name: file systems allow 255 in all."""
PATIENCE = 5.0
"""Seconds for which other drills in the same directory are waited for."""
AT_WORK = 3600.0
"""Where there are no locks, a folder that was changed so many seconds ago may be one at work."""


def folder_name(at: datetime, what: str) -> str:
    """Name of the folder of a run that began `at`, of the database or series `what`."""
    safe = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", what))
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


@contextmanager
def alone_in(top: Path) -> Iterator[None]:
    """Keep other drills from the files in `top`: for a moment, or not where there are no locks."""
    handle, end = os.open(top, os.O_RDONLY | os.O_CLOEXEC), time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            try:
                flock(handle, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.02)
            except OSError:
                break
        yield
    finally:
        os.close(handle)


def clear(top: Path) -> None:
    """Take the last verdict out of `top`; folders of runs stay. OSError."""
    with alone_in(top):
        for name in FILES:
            (top / name).unlink(missing_ok=True)
        if latest_in(top):
            (top / LATEST).unlink(missing_ok=True)


def show(folder: Path) -> None:
    """Let the directory around `folder` hold its files, and `latest` lead to it; OSError."""
    top = folder.parent
    with alone_in(top):
        for name in FILES:
            if (folder / name).is_file():
                put(folder / name, top / name)
            else:
                (top / name).unlink(missing_ok=True)
        if latest_in(top) or not os.path.lexists(top / LATEST):
            lead(top / LATEST, folder.name)


def put(source: Path, path: Path) -> None:
    """Let `path` be the file `source`, in one step; a copy where links are impossible."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            part.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def lead(path: Path, name: str) -> None:
    """Let `path` be a link to `name` beside it, in one step; else a file that holds the name."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            part.symlink_to(name)
        except OSError:
            part.write_text(f"{name}\n", encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def latest_in(top: Path) -> str:
    """The folder that `latest` in `top` names; empty where it does not, or is not ours."""
    path = top / LATEST
    try:
        if path.is_symlink():
            name = os.readlink(path)  # noqa: PTH115 - a text, which may be anything
        elif path.is_file() and path.stat().st_size <= 2 * LONGEST:
            name = path.read_text(encoding="utf-8").removesuffix("\n")
        else:
            return ""
    except (OSError, ValueError):
        return ""
    return name if NAME.fullmatch(name) and "/" not in name else ""


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove the oldest folders of runs beside `folder` beyond `keep`; gives those removed.

    Never `folder`, the one that `latest` names, one of a drill at work, a link, or a folder in
    which no drill has left its result. OSError where one cannot be removed.
    """
    top, removed = folder.parent, []
    with alone_in(top):
        spared = {folder.name, latest_in(top)}
        for old in reversed(runs_in(top)[keep:]):
            if old.name not in spared and is_result(old / RESULT) and not is_at_work(old):
                shutil.rmtree(old)
                removed.append(old)
    return removed


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


def is_result(path: Path) -> bool:
    """Whether a drill has written the file at `path`."""
    try:
        result = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(result, dict) and {"schema", "verdict", "started_at", "checks"} <= set(result)


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

"""The newest run's files in the report directory itself, for all who know them there; `latest`.

They are hard links to those in the run's folder: symbolic ones are left out or stay links where
reports are uploaded (a runner of GitLab compresses regular files alone).
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

RESULT = "result.json"
FILES = ("report.html", "junit.xml", RESULT, "result.dsse.json")
"""Names of the files that a run writes."""
SUMMARY = "series.json"
"""What became of several series in one run."""
LATEST = "latest"
NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{4}Z(-.+)?", re.DOTALL)
"""Names of the folders of runs, see `run_folders.py`."""
LONGEST = 255
"""Bytes of a name."""
PATIENCE = 5.0
"""Seconds for which other drills in the same directory are waited for."""


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
        wipe(top)


def wipe(top: Path) -> None:
    """Remove what the newest run shows in `top`; OSError."""
    for name in (*FILES, SUMMARY):
        (top / name).unlink(missing_ok=True)
    if latest_in(top):
        (top / LATEST).unlink(missing_ok=True)


def show(folder: Path) -> None:
    """Let the directory around `folder` hold its files, and `latest` lead to it.

    OSError where not all of it can be had: there is none of it then, of no run.
    """
    top = folder.parent
    with alone_in(top):
        try:
            for name in FILES:
                if (folder / name).is_file():
                    put(folder / name, top / name)
                else:
                    (top / name).unlink(missing_ok=True)
            if latest_in(top) or not os.path.lexists(top / LATEST):
                lead(top / LATEST, folder.name)
        except OSError:
            wipe(top)
            raise


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
        elif path.is_file() and path.stat().st_size <= LONGEST + 1:
            name = path.read_text(encoding="utf-8").removesuffix("\n")
        else:
            return ""
    except (OSError, ValueError):
        return ""
    return name if NAME.fullmatch(name) and "/" not in name else ""

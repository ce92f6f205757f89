"""Where the reports of a run lie: those of each database in a folder of its own, and of all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.printable import printable_json
from restore_drill.core.remedies import remedy_for
from restore_drill.fleet.model import Done
from restore_drill.fleet.report.junit import write_fleet_junit
from restore_drill.fleet.report.page import render
from restore_drill.fleet.report.plain import plain_of
from restore_drill.fleet.report.run import Fleet
from restore_drill.results.newest import FILES, RESULT, clear
from restore_drill.results.result import write_whole
from restore_drill.watch.history import Drill
from restore_drill.watch.site.view import slug_of

FOLDER = "fleet"
"""Below the report directory: a folder for each database."""
PAGE, PLAIN, JUNIT = "fleet.html", "fleet.json", "junit.xml"
"""What lies in the report directory itself."""
OWNER = ".inventory"
"""Beside the reports of a database: path of the inventory that it was of."""
SIMPLE = re.compile(r"(?!.*-[0-9a-f]{6}\Z)[a-z0-9][a-z0-9._-]{0,99}(?<!\.)")
"""Names that are folders as they are; others, some the same to a file system, get a hash."""


def folder_of(top: Path, name: str) -> Path:
    """The folder of the database `name` below the report directory `top`: one of its own."""
    return top / FOLDER / (name if SIMPLE.fullmatch(name) else slug_of(name))


@contextmanager
def alone(top: Path) -> Iterator[None]:
    """Keep other runs from the report directory `top`: CouldNotRun where one is at work there.

    Where there are no locks, nothing does; where it cannot be made, who writes there says so.
    """
    handle = None
    with suppress(OSError):
        (top / FOLDER).mkdir(parents=True, exist_ok=True)
        handle = os.open(top / FOLDER, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            if handle is not None and not is_locked(handle):
                raise CouldNotRun(
                    f"another run of a fleet writes its reports to {top}",
                    remedy=remedy_for("fleet", "reports_in_use"),
                )
        yield
    finally:
        if handle is not None:
            os.close(handle)


def is_locked(handle: int) -> bool:
    """Whether the folder is this process's own now; OSError where there are no locks."""
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True


def keep_reports(top: Path, done: Done, inventory: Path) -> Path | None:
    """Write what the drill `done` has left; the folder, None where there is nothing. OSError.

    What an earlier run has left there goes: a report never stands for a drill that left none.
    """
    folder = folder_of(top, done.name)
    result = printable_json(dict(done.result), indent=2) + "\n" if done.result else ""
    files = {"report.html": done.report, "junit.xml": done.junit, "result.json": result.encode()}
    remove_reports(folder)
    if not any(files.values()):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (files | {OWNER: owner(inventory)}).items():
        if content:
            part = folder / f".{name}.part"
            try:
                part.write_bytes(content)
                part.replace(folder / name)
            finally:
                part.unlink(missing_ok=True)
    return folder


def with_report(drill: Drill, top: Path, name: str) -> Drill:
    """`drill` of the database `name`, with the folder below `top` where its reports were kept.

    Its history has the folder on the worker, which is gone. Reports of another drill are not its.
    """
    folder = kept_of(drill, top, name)
    return replace(drill, report=str(folder)) if folder else drill


def kept_of(drill: Drill, top: Path, name: str) -> Path | None:
    """The folder below `top` with the reports of this `drill` of the database `name`, or None."""
    folder = folder_of(top, name)
    try:
        started = datetime.fromisoformat(json.loads((folder / RESULT).read_bytes())["started_at"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return folder if started == drill.at else None


def begin(top: Path, names: Collection[str] | None = None, inventory: Path | None = None) -> None:
    """Make the report directory `top`, and take away what an earlier run has left in it. OSError.

    Until the run ends, nothing there is a verdict: also if it is killed. Reports that a run of the
    `inventory` has kept of databases that are none of its `names` any more go, too. All others
    stay: those of its databases until their next drill, those of another inventory for good.
    """
    top.mkdir(parents=True, exist_ok=True)
    clear(top)
    for name in (PAGE, PLAIN, JUNIT):
        (top / name).unlink(missing_ok=True)
    if names is not None and inventory is not None:
        remove_former(top, {folder_of(top, each) for each in names}, inventory)


def remove_former(top: Path, known: Collection[Path], inventory: Path) -> None:
    """Remove reports of `inventory` below `top` in folders that are none of `known`."""
    for folder in (top / FOLDER).glob("*/"):
        if folder in known or folder.is_symlink() or not is_of(folder, inventory):
            continue
        remove_reports(folder)
        with suppress(OSError):
            folder.rmdir()


def remove_reports(folder: Path) -> None:
    """Remove the reports of a drill from `folder`, and nothing else."""
    for name in (*FILES, OWNER):
        (folder / name).unlink(missing_ok=True)


def owner(inventory: Path) -> bytes:
    """What says that reports are of a database of `inventory`."""
    return os.fsencode(inventory.resolve())


def is_of(folder: Path, inventory: Path) -> bool:
    """Whether the reports in `folder` are of a database of `inventory`."""
    try:
        return (folder / OWNER).read_bytes() == owner(inventory)
    except OSError:
        return False


def leave(top: Path, fleet: Fleet, histories: Mapping[str, Sequence[Drill]]) -> Path:
    """Write page, fleet.json and junit.xml of the run into `top`, each whole; the page. OSError.

    `histories` has the drills before, oldest first, by the names of the databases. The verdict of a
    single drill that was shown in `top` goes: it is not the newest any more.
    """
    begin(top)
    write_whole(top / PLAIN, printable_json(plain_of(fleet), indent=1) + "\n")
    write_fleet_junit(top / JUNIT, fleet)
    write_whole(top / PAGE, render(fleet, histories, top))
    return top / PAGE

"""What a drill has left: databases, processes, folders, locks, journals, unfinished snapshots."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import NamedTuple

from tests.force.running import described, outlived
from tests.force.world import World

INTERRUPTED = "was interrupted, and"
STOPPED = "an earlier drill was stopped"
"""What is said of a swap whose journal was open, and of a reset without an end."""
PATIENCE = 5.0
"""Seconds in which the server notices that a client has gone."""


class LeftOver(NamedTuple):
    """One thing that is left; `mark` is what the next run has to name."""

    kind: str
    what: str
    mark: str


def left_over(world: World, name: str) -> list[LeftOver]:
    """Everything that is left, once the server has noticed which clients have gone."""
    deadline = time.monotonic() + PATIENCE
    while (found := sessions(world)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [*found, *databases(world, name), *processes(world), *folders(world), *files(world)]


def sessions(world: World) -> list[LeftOver]:
    """Sessions of drills, and advisory locks."""
    query = """
        SELECT pid, query FROM pg_stat_activity WHERE application_name ~ '^restore-drill'
        UNION ALL SELECT pid, 'advisory lock' FROM pg_locks WHERE locktype = 'advisory'
    """
    with world.server.connect("postgres") as connection:
        rows = connection.execute(query.encode()).fetchall()
    return [LeftOver("session", f"session {pid}: {what}", str(pid)) for pid, what in rows]


def databases(world: World, name: str) -> list[LeftOver]:
    """Databases that a drill has made beside `name`."""
    query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1"
    with world.server.connect("postgres") as connection:
        rows = connection.execute(query.encode(), [f"{name}_drill_"]).fetchall()
    return [LeftOver("database", f"database {found}", found) for (found,) in rows]


def processes(world: World) -> list[LeftOver]:
    """Processes that have outlived their drill."""
    found = []
    for process in outlived(world.server.processes()):
        what = described(process)
        found.append(LeftOver("process", what, what.rpartition(" in ")[2].split(" ")[0]))
    return found


def folders(world: World) -> list[LeftOver]:
    """What lies in the folder for temporary files."""
    paths = sorted(world.temporary.iterdir())
    return [LeftOver("folder", f"folder {path}", path.name) for path in paths]


def files(world: World) -> list[LeftOver]:
    """Journals that do not say how it ended, snapshots without verdict, and unfinished files."""
    found = []
    for path in sorted(world.snapshots.glob("*")):
        if path.name.startswith("reset_") and path.suffix == ".json":
            found.append(LeftOver("journal", f"journal {path.name}", STOPPED))
        elif path.suffix == ".part" or path.name.endswith(".new"):
            found.append(LeftOver("file", f"file {path.name}", path.name.rpartition(".")[0]))
        elif path.name.startswith("swap_") and path.suffix == ".json":
            with suppress(ValueError):
                raw = json.loads(path.read_text())
                if raw["step"] in ("prepared", "committing"):
                    found.append(LeftOver("journal", f"open journal {path.name}", INTERRUPTED))
    return found

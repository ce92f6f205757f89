"""When a fault is injected: where a drill writes a step line, or its server shows a session.

No drill knows of it: its lines are followed as a person follows them, its sessions are seen in
pg_stat_activity, its journals in their folder.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.force.running import Running
from tests.force.world import World

PAUSE = 0.003
"""Seconds between two looks."""
STEPS = ("prepared", "committing", "done")
NEAR = 0.25
"""Seconds within which a fault follows the boundary of a stage."""


@dataclass(frozen=True)
class Moment:
    """A moment of a command: `line` is what it writes then, `query` has a row then.

    `file` is a pattern of a file in the folder of the snapshots, `text` one of what it holds. The
    fault comes up to `spread` seconds later, at a time that the seed decides.
    """

    name: str
    line: str = ""
    query: str = ""
    file: str = ""
    text: str = ""
    spread: float = NEAR


OURS = """
    SELECT FROM pg_stat_activity WHERE application_name LIKE 'restore-drill%%'
        AND state <> 'idle' AND query ILIKE '{}'
"""
MADE = "SELECT FROM pg_database WHERE starts_with(datname, '{name}_drill_')"

START = Moment("start", spread=2.0)
MAKING = Moment("database is being made", query=OURS.format("CREATE DATABASE%%"))
MADE_BESIDE = Moment("database is made", query=MADE)
CONNECTED = Moment("step 3, connected", line="Step 3:")
RESTORING = Moment("step 5, restoring", line="Step 5:")
VERIFYING = Moment("step 6, verifying", line="Step 6:")
REDIS = Moment("step 7, Redis", line="Step 7:")
AT_THE_END = Moment("last checks", line="Redis accepts writes", spread=1.0)
DROPPING = Moment("database is being dropped", query=OURS.format("DROP DATABASE%%"))
ANY_TIME = Moment("any time", spread=6.0)


def journal(step: str, spread: float, kind: str = "promotion") -> Moment:
    """The moment at which the journal of a swap comes to `step`, which it may have just left."""
    steps = "|".join(STEPS[STEPS.index(step) :])
    text = f'"kind": "{kind}".*"step": "({steps})"'
    return Moment(f"journal: {step}", file="swap_*.json", text=text, spread=spread)


RENAMING = Moment("first rename", query=OURS.format("ALTER DATABASE%%RENAME%%"), spread=0.02)
SWAPPING = (
    journal("prepared", 0.05), RENAMING, journal("committing", 0.005), journal("done", 0.2),
)  # fmt: skip
SWAPPING_BACK = (
    journal("prepared", 0.05, "rollback"),
    RENAMING,
    journal("committing", 0.005, "rollback"),
    journal("done", 0.05, "rollback"),
)

SNAPSHOT = Moment("step 2, snapshot", line="Step 2:")
SNAPPED = Moment("snapshot is proved", line="Safety snapshot created")
SHUT = Moment("journal: shut", file="reset_*.json", text='"step": "(shut|reset)"', spread=0.2)
UNDECIDED = Moment("journal: reset", file="reset_*.json", text='"step": "reset"', spread=0.1)
RECREATING = Moment("step 4, reset", line="Step 4:", spread=0.1)


def has_come(moment: Moment, world: World, name: str, running: Running) -> bool:
    """Whether `moment` has come; a server that does not answer shows nothing."""
    if moment.line:
        return any(moment.line in line for line in list(running.lines))
    if moment.file:
        return any(
            re.search(moment.text, read(path), re.DOTALL)
            for path in world.snapshots.glob(moment.file)
        )
    if not moment.query:
        return True
    try:
        with world.server.connect("postgres") as connection:
            return look(connection, moment.query.replace("{name}", name), running)
    except psycopg.Error:
        return False


def read(path: Path) -> str:
    """Text of a file, empty where it has just gone."""
    with suppress(OSError):
        return path.read_text(errors="replace")
    return ""


def look(connection: psycopg.Connection[object], query: str, running: Running) -> bool:
    """Ask `query` again and again, for as long as the command runs."""
    while running.is_running():
        if connection.execute(query.replace("%%", "%").encode()).fetchone() is not None:
            return True
        time.sleep(PAUSE)
    return False


def await_moment(
    moment: Moment, world: World, name: str, running: Running, chance: random.Random
) -> bool:
    """Wait for `moment` of the command; False where it ended without."""
    while not has_come(moment, world, name, running):
        if not running.is_running():
            return False
        time.sleep(PAUSE)
    wait(chance.uniform(0, moment.spread), running.is_running)
    return running.is_running()


def wait(seconds: float, goes_on: Callable[[], bool] = lambda: True) -> None:
    """Wait, unless it is over before."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and goes_on():
        time.sleep(min(left, 0.02))

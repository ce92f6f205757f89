"""Servers that stay up after their drill: found again, opened, and ended.

What is known of one stands in the command line of its keeper, a process of this user outside of all
walls: no file that a dump's code could write is believed, and no process that it could start. No
password stands there: it lies in a private file.
"""

from __future__ import annotations

import json
import os
import shlex
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil

from restore_drill.core.calling import COMMAND
from restore_drill.core.printable import printable
from restore_drill.core.units import show_time
from restore_drill.servers import cleanup

KEEPER = "restore_drill.keep.keeper"
PASSWORD = "password"  # noqa: S105
"""Name of the file in the run directory that holds it."""
BY_SOCKET = "-s"
"""Option of redis-cli in front of a socket, which lies in a private directory: without password."""
PATIENCE = 30.0
"""Seconds for a keeper to be ready, and to end its server."""


@dataclass(frozen=True)
class Kept:
    """A kept server, `what` in words; `program` with its `arguments` opens it.

    `run` is its private directory, in which the password of a `redis` lies.
    """

    service: Literal["postgres", "redis"]
    what: str
    run: Path
    until: datetime
    program: str
    arguments: tuple[str, ...]
    keeper: psutil.Process

    @property
    def command(self) -> str:
        """What a user types to open it."""
        line = shlex.join([self.program, *self.arguments])
        if self.has_password:
            line = f"REDISCLI_AUTH=$(cat {shlex.quote(str(self.run / PASSWORD))}) {line}"
        return printable(line)

    @property
    def has_password(self) -> bool:
        """Whether it is a Redis with a password, which lies in its directory."""
        return self.service == "redis" and self.arguments[0] != BY_SOCKET

    @property
    def words(self) -> str:
        """Which one it is: `database shop, until 2026-11-28 21:30 UTC`."""
        return printable(f"{self.what}, until {show_time(self.until)}")

    def end(self) -> bool:
        """End it, and remove its files; False where that takes too long."""
        with suppress(psutil.NoSuchProcess):
            self.keeper.terminate()
            try:
                self.keeper.wait(PATIENCE)
            except psutil.TimeoutExpired:
                return False
        return not self.run.exists()


def kept_of(spec: dict[str, Any], keeper: psutil.Process) -> Kept:
    """The server that `spec` describes to its `keeper`."""
    return Kept(
        service=spec["service"],
        what=spec["what"],
        run=Path(spec["run"]),
        until=datetime.fromtimestamp(spec["until"], UTC),
        program=spec["program"],
        arguments=tuple(spec["arguments"]),
        keeper=keeper,
    )


def kept_servers() -> list[Kept]:
    """Kept servers of this user where left-overs are looked for too, the newest first."""
    here = {*cleanup.bases(), cleanup.MEMORY}
    return [each for each in kept_anywhere() if each.run.parent in here]


def kept_anywhere() -> list[Kept]:
    """Kept servers of this user, also of drills with another TMPDIR; the newest first."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ValueError, KeyError, TypeError):
            arguments = process.cmdline()
            if KEEPER in arguments[:-1] and is_one_of_us(process):
                kept = kept_of(json.loads(arguments[-1]), process)
                found.append((process.create_time(), kept))
    return [kept for _, kept in sorted(found, key=lambda each: each[0], reverse=True)]


def kept_elsewhere(doing: str, services: str = "postgres redis") -> list[str]:
    """How what is kept of the `services` under another TMPDIR is reached by the command `doing`."""
    here = kept_servers()
    return [
        printable(
            f"{each.what} is kept in {each.run.parent}: "
            f"TMPDIR={shlex.quote(str(each.run.parent))} {COMMAND} {doing}"
        )
        for each in kept_anywhere()
        if each not in here and each.service in services
    ]


def is_one_of_us(process: psutil.Process) -> bool:
    """Whether `process` is of this user, and behind no walls; raises psutil.Error.

    Behind them a dump's code runs as this user too, with whatever command line it likes.
    """
    return bool(process.uids().effective == os.geteuid()) and (
        processes_seen_by(process.pid) == processes_seen_by(os.getpid())
    )


def processes_seen_by(pid: int) -> int | None:
    """Number of the process table that the process `pid` lives in; None where there is but one."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/ns/pid").stat().st_ino
    return None


def end_kept() -> tuple[list[str], list[str]]:
    """End all kept servers of this user; what was done and what is left, in words."""
    done, left = [], []
    for each in kept_servers():
        words = f"the kept server of {each.words}; {each.run}"
        if each.end():
            done.append(f"ended {words}")
        else:
            left.append(f"could not end {words}: kill -9 {each.keeper.pid}, then clean again")
    return done, left

"""What a throwaway server may take of its machine, whatever the code of its dump asks for.

Chosen so that no healthy restore meets them: where they end one, the machine was about to.
"""

from __future__ import annotations

import os
import resource
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.servers.place import available_memory, memory
from restore_drill.servers.tuning import processes

MEMORY_SHARE = 0.75
"""Part of the machine's memory that one process may have; sorting takes it some 100 MB, its
longest value (1 GB) three times that."""
EXTRA_PROCESSES = 1024
"""Processes beside those of the server's own settings, which a restore does not need at all."""
SPARED, MOST_SPARED = 0.05, 2_000_000_000
"""Part of the free disk, and bytes at most, that a server leaves to what else writes there."""
MOST_FILES_SPARED = 50_000
"""Inodes at most that it leaves, of those that were free the same part as of the bytes."""
NO_LIMIT = 1 << 62
IN_MEMORY = 0.8
"""Part of the available memory that data in memory may take; half of it was to do (place.SHARE)."""
EVERY = 0.1
"""Seconds between two looks at the disk: a fast one takes 200 MB in them, a look 5 microseconds."""
FIRST_TO_GO = 1000
"""The kernel's score by which these processes are killed before all others when memory runs out."""


def limits() -> dict[str, int]:
    """Limits of each process of the server (bytes of data) and of all of them (how many)."""
    return {"data": int(memory() * MEMORY_SHARE), "processes": processes() + EXTRA_PROCESSES}


def entering(account: int) -> Callable[[], object]:
    """Function by which a child becomes the leader of a session of its own, within the limits.

    For a server without walls that runs as `account`, of which other processes are counted too.
    """
    wanted = limits()
    wanted["processes"] += sum(
        each.info["num_threads"] or 0
        for each in psutil.process_iter(["uids", "num_threads"])
        if each.info["uids"] and each.info["uids"].effective == account
    )

    def enter() -> None:
        os.setsid()
        for kind, number in (
            (resource.RLIMIT_DATA, wanted["data"]),
            (resource.RLIMIT_NPROC, wanted["processes"]),
        ):
            hard = resource.getrlimit(kind)[1]
            least = number if hard == resource.RLIM_INFINITY else min(number, hard)
            resource.setrlimit(kind, (least, least))

    return enter


def let_go_first(server: psutil.Process) -> None:
    """Let the kernel end the new `server` before others when memory runs out, where it can."""
    with suppress(OSError):
        Path(f"/proc/{server.pid}/oom_score_adj").write_text(str(FIRST_TO_GO), encoding="ascii")


def files_left(place: Path) -> int:
    """Files that can still be made in the file system of `place`; NO_LIMIT where it counts none."""
    found = os.statvfs(place)
    return found.f_favail if found.f_files else NO_LIMIT


class RoomWatch:
    """Ends a server before what it writes fills the disk, or the memory, that it lies in.

    A disk is full, too, when it has no inode left for a new file.

    `error` says so when that has happened. As a thread it costs a look each tenth of a second.
    """

    def __init__(self, place: Path, end: Callable[[], None], *, in_memory: bool = False) -> None:
        """Watch over the file system of `place`, and call `end` once when too little is left."""
        self.place, self.end = place, end
        self.in_memory = in_memory
        self.least = self.least_of(shutil.disk_usage(place).free)
        self.least_files = min(MOST_FILES_SPARED, int(files_left(place) * SPARED))
        self.left = 0
        self.files_left: int | None = None
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.watch, name="room-watch", daemon=True)
        self.thread.start()

    def least_of(self, free: int) -> int:
        """Bytes that are to stay free where so many are at the beginning."""
        if self.in_memory:
            return free - int(min(free, available_memory()) * IN_MEMORY)
        return int(min(MOST_SPARED, free * SPARED))

    def watch(self) -> None:
        """Look until it is over, or too little is left."""
        while not self.is_over.wait(EVERY):
            with suppress(OSError):
                free, files = shutil.disk_usage(self.place).free, files_left(self.place)
                if free < self.least or files < self.least_files:
                    self.left = max(free, 1)
                    self.files_left = files if free >= self.least else None
                    self.end()
                    return

    def stop(self) -> None:
        """Look no longer."""
        self.is_over.set()
        if self.thread is not threading.current_thread():
            self.thread.join(1)

    @property
    def shortage(self) -> tuple[str, str, str]:
        """What would have been filled, what was left of it, and the least that is to stay."""
        if self.files_left is not None:
            return "file system with files", f"{self.files_left:,} inodes", f"{self.least_files:,}"
        return (
            "memory" if self.in_memory else "disk",
            show_bytes(self.left),
            show_bytes(self.least),
        )

    def error(self) -> CouldNotRun | None:
        """What to raise once the server was ended."""
        if not self.left:
            return None
        what, left, least = self.shortage
        kept = f"{least} are reserved for other programs on this machine"
        return CouldNotRun(
            f"the throwaway server was stopped before it filled the {what}",
            checked=[f"{left} were free in {self.place}, and {kept}"],
            remedy=remedy_for("target", "filled"),
        )

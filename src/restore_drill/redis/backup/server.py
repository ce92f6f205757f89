"""A server of the drill's own that loads a backup: private, and it saves nothing."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import psutil
import redis

from restore_drill.core.deadline import at_work
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.redis.backup.configuration import LOG, SOCKET, by_socket, config_of
from restore_drill.redis.backup.ended import Loading
from restore_drill.redis.backup.model import Placed
from restore_drill.redis.backup.tools import Binary
from restore_drill.redis.connection import Server, connect_socket
from restore_drill.redis.folders import end_processes_in
from restore_drill.redis.throwaway import Throwaway
from restore_drill.servers.processes import ending_with_us

POLL = 0.02
ANSWERS = 600.0
"""Seconds that it may take to answer once: what goes over all keys takes long."""
CONFIG = "redis.conf"
SHARE = 0.9
"""Share of the memory that is free, and no more, a backup may take."""


def refuse_without_memory(needed: int | None) -> None:
    """CouldNotRun where the data of a backup takes more memory than is free."""
    free = psutil.virtual_memory().available
    if needed is not None and needed > free * SHARE:
        raise CouldNotRun(
            f"the backup of Redis needs {show_bytes(needed)} of memory to be loaded, and "
            f"{show_bytes(free)} are free",
            remedy=remedy_for("redis_backup", "memory"),
        )


class Loader(Loading):
    """A server process that loads what is `placed`."""

    def __init__(self, binary: Binary, placed: Placed) -> None:
        """Prepare it; nothing starts yet."""
        super().__init__(binary)
        self.placed = placed
        self.log = placed.folder / LOG
        self.process: subprocess.Popen[bytes] | None = None
        self.command = [binary.path, str(placed.folder / CONFIG)]
        self.log.unlink(missing_ok=True)
        self.server = connect_socket(str(placed.folder / SOCKET), socket_timeout=ANSWERS)

    def start(self) -> None:
        """Start the process."""
        config = Path(self.command[1])
        config.write_text(
            config_of(self.placed, self.binary, by_socket(self.placed.folder)), encoding="utf-8"
        )
        with (self.placed.folder / "output.log").open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.placed.folder,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=ending_with_us(os.getpid()),  # noqa: PLW1509 - as for all our servers
            )

    def end(self) -> None:
        """Kill it, also where an interrupt came between its start and the note of its process."""
        self.server.client.close()
        if self.process is None:
            end_processes_in(self.placed.folder)
            return
        with suppress(OSError):
            self.process.kill()
        self.process.wait()

    def wait(self) -> None:
        """Wait until it has loaded all; raises what became of it where it has not."""
        assert self.process is not None
        with at_work(lambda: f"{self.binary.words} loads the backup of Redis"):
            while True:
                with suppress(redis.RedisError, OSError):
                    if self.server.client.ping():
                        return
                if self.process.poll() is not None:
                    raise self.why_ended(self.process.returncode)
                time.sleep(POLL)

    def text(self) -> str:
        """All that it has logged."""
        paths = (self.log, self.placed.folder / "output.log")
        return "\n".join(
            each.read_text(encoding="utf-8", errors="replace") for each in paths if each.exists()
        )


def load(binary: Binary, placed: Placed, lock: BinaryIO, stack: ExitStack) -> tuple[Loader, Server]:
    """Have `binary` load what is `placed`; `stack` ends it. Unreadable where it cannot."""
    loader = Loader(binary, placed)
    stack.callback(loader.end)
    loader.start()
    loader.wait()
    keep_what_expires(loader.server)
    kept = Throwaway(
        stack, folder=placed.folder.parent, lock=lock, command=loader.command, end=loader.end
    )
    return loader, replace(loader.server, throwaway=kept)


def keep_what_expires(server: Server) -> None:
    """What had not run out when `server`, one of the drill's own, began stays for the drill."""
    with suppress(redis.RedisError):
        order = ("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        server.client.execute_command(*order)  # type: ignore[no-untyped-call]

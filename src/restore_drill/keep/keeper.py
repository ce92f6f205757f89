"""The process that holds a kept server: it ends the server when its time is over, or when asked to.

It is started by `hand_over` with what the drill held: the lock of the run directory, so that no
other run takes that for a dead one's, and the descriptor that keeps a server's walls up. Should
this process be killed, the next drill cleans up as after any other.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from restore_drill.keep.kept import BY_SOCKET, PASSWORD
from restore_drill.keep.lines import READY
from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.processes import (
    PATIENCE,
    ending_with_us,
    find_server,
    processes_in,
)

if TYPE_CHECKING:
    from restore_drill.redis.connection import Server

EVERY = 5.0
"""Seconds between two looks at the server, which may have ended by itself."""


class Held(Protocol):
    """A server that is held."""

    place: Path
    """Directory on the disk that its data fill."""

    def is_up(self) -> bool:
        """Whether it runs."""

    def end(self) -> None:
        """End it."""


class Embedded:
    """An embedded PostgreSQL server: it runs already."""

    def __init__(self, spec: dict[str, Any]) -> None:
        """Server of the run directory in `spec`."""
        self.place, self.walls = Path(spec["run"]), spec["walls"]
        self.data = self.place / cleanup.DATA

    def is_up(self) -> bool:
        """Whether its process lives."""
        return find_server(self.data) is not None

    def end(self) -> None:
        """Let its walls fall; without any, it ends with its directory."""
        if self.walls is not None:
            os.close(self.walls)
            deadline = time.monotonic() + PATIENCE
            while processes_in(self.data) and time.monotonic() < deadline:
                time.sleep(0.02)
            # It names a process that only they had, and is not to be looked for.
            untrusted.unlink(self.data / "postmaster.pid")


class EmbeddedRedis:
    """An embedded Redis, started here: it ends with this process, where the kernel can do that."""

    def __init__(self, spec: dict[str, Any]) -> None:
        """Start the command in `spec`, and wait until it answers; OSError where it does not."""
        self.place = Path(spec["run"])
        self.process = subprocess.Popen(
            spec["command"],
            cwd=self.place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=ending_with_us(os.getpid()),  # noqa: PLW1509 - there are no threads yet
        )
        try:
            self.wait(spec["arguments"], spec["patience"])
        except OSError:
            self.end()
            raise

    def wait(self, arguments: list[str], patience: float) -> None:
        """Wait until it answers, to the password in its folder if its socket is not private."""
        from redis.exceptions import RedisError  # noqa: PLC0415 - only this kind needs it

        server = self.reached(arguments)
        deadline = time.monotonic() + patience
        while self.is_up() and time.monotonic() < deadline:
            with suppress(RedisError):
                server.client.ping()
                return
            time.sleep(0.02)
        raise TimeoutError

    def reached(self, arguments: list[str]) -> Server:
        """Way to it by the `arguments` of redis-cli."""
        from restore_drill.redis.connection import (  # noqa: PLC0415 - likewise
            connect_socket,
            connect_started,
        )

        if arguments[0] == BY_SOCKET:
            return connect_socket(arguments[1])
        password = (self.place / PASSWORD).read_text()
        return connect_started(arguments[1], int(arguments[3]), password)

    def is_up(self) -> bool:
        """Whether its process lives."""
        return self.process.poll() is None

    def end(self) -> None:
        """Kill it: nothing in it is worth a shutdown."""
        self.process.kill()
        self.process.wait(PATIENCE)


def container(spec: dict[str, Any]) -> Held:
    """A server in a container; the engine's client is loaded for it alone."""
    from restore_drill.keep.kept_container import KeptContainer  # noqa: PLC0415

    return KeptContainer(spec["container"], spec["until"] - time.time())


KINDS: dict[str, Callable[[dict[str, Any]], Held]] = {
    "embedded": Embedded,
    "redis": EmbeddedRedis,
    "container": container,
}


def hold(held: Held, until: float, is_over: threading.Event) -> None:
    """Wait until the time `until` (seconds since 1970), an order, or the end of the server."""
    while (left := until - time.time()) > 0:
        if is_over.wait(min(left, EVERY)) or not held.is_up():
            return


def main(spec: dict[str, Any]) -> None:
    """Hold the server that `spec` describes, and end it with its run directory."""
    run, is_over = Path(spec["run"]), threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: is_over.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # who started us has held them back until now
    held = KINDS[spec["kind"]](spec)
    with suppress(OSError):
        RoomWatch(held.place, is_over.set, in_memory=cleanup.MEMORY in run.parents)
    os.write(1, READY)
    hold(held, spec["until"], is_over)
    held.end()
    cleanup.stop_and_remove(run)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

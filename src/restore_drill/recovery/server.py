"""A recovered server: an embedded one, with a role of its own, that can crash and come back."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from restore_drill.core.deadline import at_work
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration
from restore_drill.recovery.executor import RecoveringExecutor
from restore_drill.recovery.log import read_log, size_of
from restore_drill.recovery.starting import start_server
from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.executor import SUPERUSER
from restore_drill.servers.model import Target

READY, CRASHED = "database system is ready to accept connections", (
    "terminating any other active server processes",
    "all server processes terminated; reinitializing",
)  # fmt: skip
FIRST, LONGEST = 0.2, 600.0
"""Seconds for a server to notice a crash, and to be back after it."""
UNLOADED = "-c session_preload_libraries= -c local_preload_libraries="
"""What a session is given before anything is known of the databases: no library of theirs."""


@dataclass
class RecoveredServer(EmbeddedServer):
    """A server that was recovered. Sessions are those of `user`, with the libpq `options`.

    `entry` is a database that accepts connections, `known` one that the user has named.
    """

    user: str = SUPERUSER
    options: str = UNLOADED
    entry: str = SUPERUSER
    known: str = ""

    def target(self, dbname: str) -> Target:
        """Give the way to the database `dbname`: no setting of a database or role acts there."""
        found = super().target(dbname)
        more = {"user": self.user, "options": self.options}
        return replace(found, conninfo=found.conninfo | more)

    def wait_until_ready(self) -> None:
        """Wait until it answers again, after a session has ended with it; start it if it has ended.

        A damaged page can crash the process of a session: the server then ends all sessions, and
        goes through crash recovery. CouldNotRun where it was ended for lack of room, or does not
        come back.
        """
        began = time.monotonic()
        time.sleep(FIRST)  # the session's end is seen before the server knows of it
        with at_work(lambda: "waiting for the server after a crash"):
            while self.executor.running():
                if self.is_settled() and self.executor.after_start_check():
                    return
                if time.monotonic() - began > LONGEST:
                    raise self.gone(f"it did not answer within {show_duration(LONGEST)}")
                time.sleep(0.05)
        self.start_again()

    def is_settled(self) -> bool:
        """Whether its log says last that it is ready, and not that it is about to begin anew."""
        start = max(0, size_of(self.run.log) - 65536)
        ready = False
        for line in read_log(self.run.log, start):
            if line.text == READY:
                ready = True
            elif line.text in CRASHED:
                ready = False
        return ready or start > 0

    def start_again(self) -> None:
        """Start it anew on its data, as they are."""
        if error := self.watch.error():
            raise error
        executor = self.executor
        assert isinstance(executor, RecoveringExecutor)
        executor.stop()
        self.start()

    def start(self) -> None:
        """Start it, once it has been stopped, and have the way to its new socket."""
        executor = self.executor
        assert isinstance(executor, RecoveringExecutor)
        executor.clear_way()
        untrusted.unlink(self.run.path / cleanup.WAY / cleanup.SOCKET)
        start_server(executor)
        self.way = untrusted.way_to(self.run.path / cleanup.SOCKET, self.run.path / cleanup.WAY)

    def gone(self, why: str) -> CouldNotRun:
        """The error for a server that does not come back."""
        return CouldNotRun(
            f"the recovered server {self.binaries.name} is lost",
            checked=[why],
            remedy=remedy_for("recovering", "lost"),
        )

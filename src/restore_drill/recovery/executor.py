"""The process of a recovering server: it may take hours to answer, and its end is seen at once."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil
from mirakuru.exceptions import ProcessExitedWithError

from restore_drill.servers import isolation, processes, untrusted
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cleanup import SOCKET, RunDirectory
from restore_drill.servers.executor import ServerExecutor
from restore_drill.servers.launcher import Launcher

LONGEST_SLEEP = 0.2
"""Seconds between two questions whether it answers, each of which costs the server a process."""
PATIENCE_OF_SLEEP = 50
"""The longer it takes the less often it is asked: each time after a fiftieth of the time so far."""
AT_SEGMENT = re.compile(
    r"postgres: restore-drill: startup (?:recovering|waiting for) ([0-9A-F]{24})"
)
"""Title of the process that replays WAL."""
NEVER = "100000000"
"""Seconds for which pg_ctl waits at most."""
REPORT = 0.5
"""Seconds between two looks at how far it is."""


class RecoveringExecutor(ServerExecutor):
    """Executor of a server on a data directory that is there, with settings of our own.

    `watch` is called now and then while it recovers; what it raises ends the wait.
    """

    def __init__(
        self,
        binaries: Binaries,
        run: RunDirectory,
        launcher: Launcher,
        config: Path,
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        """Server of `binaries` in `run`, that reads the settings in `config` alone."""
        self.config = config
        super().__init__(binaries, run, launcher, run.data)
        # The data directory is there: nothing makes one, or another in its place.
        self._directory_initialised = True
        self._timeout = math.inf
        self.watch = watch
        self.began = self.watched = time.monotonic()
        if not self.is_isolated:
            self.command_parts = self.without_walls(self.command_parts)

    @property
    def given(self) -> str:
        """Argument that names the settings; `unfit` has looked at the path."""
        return f"config_file={self.config}"

    def without_walls(self, parts: Sequence[str]) -> list[str]:
        """Command that starts it as an ordinary process.

        pg_ctl waits for as long as it takes; it may be done before the server has recovered.
        """
        return [*parts, "-t", NEVER, "-o", f"-c {self.given}"]

    def isolate(self) -> None:
        """Run the server itself, behind walls that end with us; they change the account too."""
        program = [self.binaries.tool("postgres"), "-D", self.datadir, "-c", self.given]
        self.plain_parts, self.command_parts = (
            self.without_walls(self.command_parts),
            isolation.command(program, self.binaries, self.run_directory, self.launcher),
        )
        self._additional_popen_kwargs = {}

    def start(self) -> Self:
        """Start it, and wait until it has recovered and answers; ExecutorError where it ends."""
        self.began = self.watched = time.monotonic()
        return super().start()

    def check_subprocess(self) -> bool:
        """Whether it answers; raises where its process, or what watches it, has ended."""
        answers = super().check_subprocess()
        now = time.monotonic()
        self._sleep = min(LONGEST_SLEEP, max(0.01, (now - self.began) / PATIENCE_OF_SLEEP))
        if not answers and now - self.watched >= REPORT:
            self.watched = now
            self.watch()
        if not answers and self.has_ended():
            raise ProcessExitedWithError(self, 1)
        return answers

    def has_ended(self) -> bool:
        """Whether a server without walls, whose pg_ctl is done, has ended."""
        is_started = self.process is not None and self.process.poll() is not None
        return not self.is_isolated and is_started and not self.running()

    def replaying(self) -> str:
        """Name of the WAL segment that it replays, as its process says; empty where none does."""
        server = self.server()
        for each in server.children(recursive=True) if server else []:
            try:
                found = AT_SEGMENT.match(" ".join(each.cmdline()))
            except psutil.Error:
                continue
            if found:
                return found[1]
        return ""

    def server(self) -> psutil.Process | None:
        """Process below which all of the server's are."""
        with suppress(psutil.Error):
            if self.is_isolated and self.process is not None:
                return psutil.Process(self.process.pid)
            return processes.find_server(self.run_directory.data)
        return None

    def clear_way(self) -> None:
        """Remove what a server that has ended left of itself: the next one takes it for alive."""
        run = self.run_directory
        for path in (run.path / SOCKET, run.path / f"{SOCKET}.lock", run.data / "postmaster.pid"):
            untrusted.unlink(path)

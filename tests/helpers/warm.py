"""`python -m` in processes of their own, forked from one that has loaded pytest already.

A third of the work of a short drill was loading what others have written, and a sixth loading the
engine. Both are loaded once for all drills of a test session; stages, criteria and plugins are not,
since pytest rewrites those.
"""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.helpers import origin as program

AT_START = ("PYTHON", "COVERAGE", "LC_", "LANG", "TZ", "LD_", "PSYCOPG")
"""Beginnings of names of variables that Python and these modules read when they start."""
ORIGINS: dict[str, tuple[socket.socket, subprocess.Popen[bytes]]] = {}
"""The processes that others are forked from, by the settings that they have started under."""
LOCK = threading.Lock()


class Forked:
    """`python -m` with `arguments` as it runs, without input; `pid` is its process id."""

    def __init__(
        self, arguments: list[str], *, cwd: Path, env: Mapping[str, str], out: int, err: int
    ) -> None:
        """Start it with the open files `out` and `err` as its streams."""
        self.arguments = arguments
        self.returncode: int | None = None
        self.channel, there = socket.socketpair()
        with there:
            socket.send_fds(origin(env), [b"."], [there.fileno(), out, err])
        spec = {"arguments": arguments, "cwd": str(cwd), "env": dict(env)}
        self.channel.sendall(json.dumps(spec).encode())
        self.channel.shutdown(socket.SHUT_WR)
        self.pid = int(b"".join(iter(functools.partial(self.channel.recv, 1), b"\n")))

    def wait(self, timeout: float | None = None) -> int:
        """Exit code, negative for a signal; `subprocess.TimeoutExpired` where it still runs."""
        if self.returncode is None:
            if not select.select([self.channel], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.arguments, timeout or 0)
            with self.channel:
                answer = b"".join(iter(functools.partial(self.channel.recv, 64), b""))
            self.returncode = int(answer)
        return self.returncode

    def poll(self) -> int | None:
        """Exit code, None where it still runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


class Kept(Forked):
    """The same; what it writes on both streams is kept in a file."""

    def __init__(self, arguments: list[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        """Start it."""
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - until it has ended
        number = self.file.fileno()
        super().__init__(arguments, cwd=cwd, env=env, out=number, err=number)

    @property
    def output(self) -> str:
        """What it has written so far."""
        # Not by reading on: the place in the file is the process's too.
        number = self.file.fileno()
        return os.pread(number, os.fstat(number).st_size, 0).decode("utf-8", "replace")

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """What it has written, when it has ended."""
        self.wait(timeout)
        with self.file:
            return self.output, None


def run_module(
    arguments: list[str], *, cwd: Path, env: Mapping[str, str], timeout: float, merged: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `python -m` with `arguments`, without input, as `subprocess.run` would.

    `merged` writes what it says on standard error to its standard output. Raises
    `subprocess.TimeoutExpired` after `timeout` seconds, when the process was killed.
    """
    text = functools.partial(tempfile.TemporaryFile, "w+", encoding="utf-8")
    with text() as out, text() as err:
        fds = (out.fileno(), (out if merged else err).fileno())
        process = Forked(arguments, cwd=cwd, env=env, out=fds[0], err=fds[1])
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def origin(env: Mapping[str, str]) -> socket.socket:
    """Socket of the process that has started under the settings in `env`."""
    settings = {name: value for name, value in env.items() if name.startswith(AT_START)}
    key = json.dumps(settings, sort_keys=True)
    with LOCK:
        if key not in ORIGINS:
            here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with there:
                process = subprocess.Popen(
                    [sys.executable, str(program.__file__), str(there.fileno())],
                    env={k: v for k, v in os.environ.items() if not k.startswith(AT_START)}
                    | settings,
                    pass_fds=[there.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
            ORIGINS[key] = (here, process)
        return ORIGINS[key][0]


def close() -> None:
    """End the processes that drills were forked from."""
    while ORIGINS:
        here, process = ORIGINS.popitem()[1]
        here.close()
        process.wait()

"""Starts the process of a drill: by a fork server where there is one, else by itself."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import restore_drill
from restore_drill.core.calling import SUITE
from restore_drill.fleet.jobs import inherited
from restore_drill.fleet.pool import forks, warden
from restore_drill.fleet.pool.folders import WORK

LOADING = 10.0
"""Seconds for a fork server to load what drills need; it takes less than one."""
KILLED = 128 + 9
"""Exit status of a drill whose warden was killed."""
EARLY = (
    "EXECNET_", "GLIBC", "HOME", "LANG", "LC_", "LD_", "MALLOC_", "OPENSSL_", "PATH", "PSUTIL_",
    "PSYCOPG_", "PYTEST_", "PYTHON", "PY_", "SSL_", "TEMP", "TMP", "TZ", "XDG_",
)  # fmt: skip
"""How variables begin that Python and its libraries may read while they are loaded, not later."""


@dataclass(frozen=True)
class Asked:
    """A drill that is to begin.

    Its `arguments` and variables (beside the worker's own), its folder and that one's lock, the
    file for its output, and how many seconds it has to clean up.
    """

    arguments: list[str]
    environment: Mapping[str, str]
    folder: Path
    lock: BinaryIO
    output: BinaryIO
    patience: float


@dataclass(frozen=True)
class Process:
    """A drill that runs: `wait` gives its exit status, or raises TimeoutExpired; `end` ends it."""

    wait: Callable[[float | None], int]
    end: Callable[[], None]


@contextmanager
def begun(asked: Asked) -> Iterator[Process]:
    """The drill runs in a process of its own, which is over when this is. Raises OSError."""
    server = _server if _server is not None and _server.can_start(asked) else None
    with server.start(asked) if server else plainly(asked) as process:
        try:
            yield process
        finally:
            process.end()
            process.wait(None)


@contextmanager
def plainly(asked: Asked) -> Iterator[Process]:
    """A Python of its own for the drill, and a small one that guards it."""
    script = [sys.executable, "-I", "-S", str(warden.__file__), str(asked.patience)]
    command = [*script, str(asked.folder), sys.executable, str(SUITE / "drill"), *asked.arguments]
    with subprocess.Popen(
        command, cwd=asked.folder / WORK, env={**inherited(os.environ), **asked.environment},
        stdin=subprocess.PIPE, stdout=asked.output, stderr=subprocess.STDOUT,
        pass_fds=[asked.lock.fileno()], start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        yield Process(process.wait, process.stdin.close)


class ForkServer:
    """A process that has loaded what drills need, and starts each as a copy of itself."""

    def __init__(self) -> None:
        """Start it; it loads while we go on. Raises OSError."""
        self.socket, its = socket.socketpair()
        self.stamp, self.is_ready = stamp(), False
        # Messages name our commands from where they were loaded: not from where a Python lies.
        self.process = subprocess.Popen(
            [sys.executable, str(forks.__file__), str(SUITE)], cwd=Path(forks.__file__).parent,
            env=inherited(os.environ), stdin=its.fileno(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        its.close()

    def can_start(self, asked: Asked) -> bool:
        """Whether a copy of it would be the same drill as a new process, and it is there."""
        early = {name for name in asked.environment if name.startswith(EARLY)}
        is_same = all(asked.environment[name] == os.environ.get(name, "") for name in early)
        is_there = self.process.poll() is None
        return is_there and is_same and stamp() == self.stamp and self.wait_for_it()

    def wait_for_it(self) -> bool:
        """Whether it has loaded all, within LOADING; may be asked by several threads."""
        with suppress(OSError):
            self.is_ready = self.is_ready or self.heard()
        return self.is_ready

    def heard(self) -> bool:
        """Whether it says that it is ready; the byte stays in the socket, for other threads."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        poll.poll(LOADING * 1000)
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        return self.socket.recv(1, flags) == forks.READY

    @contextmanager
    def start(self, asked: Asked) -> Iterator[Process]:
        """The drill as a copy of it; one that it does not start any more ends at once."""
        with pipe() as (drill_reads, we_write), pipe() as (we_read, it_writes):
            job = {
                "arguments": asked.arguments, "environment": dict(asked.environment),
                "home": str(asked.folder / WORK), "folder": str(asked.folder),
                "patience": asked.patience,
            }  # fmt: skip
            its = [drill_reads.fileno(), asked.output.fileno(), asked.lock.fileno(),
                   it_writes.fileno()]  # fmt: skip
            with suppress(OSError):  # it has died: nobody else holds the end of `we_read`
                socket.send_fds(self.socket, [b"d"], its)
            drill_reads.close()
            it_writes.close()
            with suppress(BrokenPipeError):
                we_write.write(json.dumps(job).encode() + b"\n")
            yield Process(Status(we_read).wait, we_write.close)

    def stop(self) -> None:
        """End it; drills that it has started go on."""
        self.socket.close()
        self.process.kill()
        self.process.wait()


class Status:
    """The exit status of a drill, which comes by a pipe."""

    def __init__(self, pipe: BinaryIO) -> None:
        """Nothing has come."""
        self.pipe = pipe
        self.code: int | None = None

    def wait(self, timeout: float | None) -> int:
        """The exit status; TimeoutExpired after so many seconds."""
        if self.code is None:
            poll = select.poll()
            poll.register(self.pipe, select.POLLIN)
            if not poll.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("drill", timeout or 0)
            self.code = next(iter(self.pipe.read(1)), KILLED)
        return self.code


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The two ends of a pipe, unbuffered."""
    there, here = os.pipe()
    with open(there, "rb", buffering=0) as reader, open(here, "wb", buffering=0) as writer:  # noqa: PTH123
        yield reader, writer


def stamp() -> list[tuple[int, int]]:
    """Tells whether the package is still the one that was loaded: an upgrade replaces its files."""
    files = (Path(restore_drill.__file__), SUITE / "conftest.py")
    return [(each.stat().st_ino, each.stat().st_mtime_ns) for each in files]


_server: ForkServer | None = None
"""The fork server of this process."""


@contextmanager
def fork_server() -> Iterator[None]:
    """Drills of this process are started by a fork server, where a copy of a process is safe.

    It is on Linux alone: elsewhere the system's libraries do not stand it.
    """
    global _server  # noqa: PLW0603 - Dask's worker gives a drill nothing but its job
    before, own = _server, None
    with suppress(OSError):
        own = ForkServer() if sys.platform == "linux" else None
    try:
        _server = own
        yield
    finally:
        _server = before
        if own is not None:
            own.stop()

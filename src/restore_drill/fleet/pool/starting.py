"""Starts the process of a drill: by a fork server where there is one, else by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import restore_drill
from restore_drill.core.calling import SUITE
from restore_drill.fleet.jobs import inherited
from restore_drill.fleet.pool import forks, warden
from restore_drill.fleet.pool.copies import Asked, Copy, Process, has_come, pipe
from restore_drill.fleet.pool.folders import WORK

LOADING = 10.0
"""Seconds for a fork server to load what drills need; it takes less than one."""
EARLY = (
    "EXECNET_", "GLIBC", "HOME", "LANG", "LC_", "LD_", "MALLOC_", "OPENSSL_", "PATH", "PSUTIL_",
    "PSYCOPG_", "PYTEST_", "PYTHON", "PY_", "SSL_", "TEMP", "TMP", "TZ", "XDG_",
)  # fmt: skip
"""How variables begin that Python and its libraries may read while they are loaded, not later."""


@contextmanager
def begun(asked: Asked) -> Iterator[Process]:
    """The drill runs in a process of its own, which is over when this is. Raises OSError."""
    server = _server if _server is not None and _server.can_start(asked) else None
    copy = server.begin(asked) if server else None
    with copy or plainly(asked) as process:
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
        """Whether it has loaded all, within LOADING; then it is ended. Several threads may ask."""
        if not self.is_ready:
            with suppress(OSError):
                self.is_ready = self.is_heard()
        if not self.is_ready:
            self.process.kill()
        return self.is_ready

    def is_heard(self) -> bool:
        """Whether it says that it is ready; the byte stays in the socket, for other threads."""
        has_come(self.socket, LOADING)
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        return self.socket.recv(1, flags) == forks.READY

    def begin(self, asked: Asked) -> AbstractContextManager[Process] | None:
        """The drill as a copy of it; None where it begins none any more, and is ended then."""
        (drill_reads, we_write), (we_read, it_writes) = pipe(), pipe()
        with drill_reads, it_writes, suppress(OSError):
            its = [each.fileno() for each in (drill_reads, asked.output, asked.lock, it_writes)]
            socket.send_fds(self.socket, [b"d"], its)
        copy = Copy(we_write, we_read)
        # Told what to drill only now: one that begins later has nothing to do.
        if copy.has_begun():
            copy.tell(asked)
            return copy.running()
        copy.close()
        self.process.kill()
        return None

    def stop(self) -> None:
        """End it; drills that it has started go on."""
        self.socket.close()
        self.process.kill()
        self.process.wait()


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

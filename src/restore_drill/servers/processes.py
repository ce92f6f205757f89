"""Processes of embedded servers: found by their data directory, also after a kill, and ended."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from restore_drill.servers import untrusted

SERVERS = ("postgres", "postmaster")
PROGRAMS = ("postgres", "postmaster", "pg_ctl", "initdb", "cp")
"""What may still work in the directory of a run that was killed."""
SET_PDEATHSIG = 1
PATIENCE = 10.0
"""Seconds for a server to obey an immediate stop before it is killed."""


def find_server(data: Path) -> psutil.Process | None:
    """Postmaster that runs on the data directory `data`, or None.

    Behind walls of its own it is process 1 by its own account: then it is looked for by its name.
    """
    try:
        pid = int(untrusted.read_text(data / "postmaster.pid").split("\n", 1)[0])
        process = psutil.Process(pid)
        if works_in(process, data):
            return process
    except (OSError, ValueError):
        return None
    except psutil.Error:
        pass
    return next((each for each in processes_in(data) if works_in(each, data, SERVERS)), None)


def works_in(process: psutil.Process, data: Path, programs: tuple[str, ...] = PROGRAMS) -> bool:
    """Whether `process` really is one of our `programs`, started on `data`; a dead one is not."""
    try:
        arguments = process.cmdline()
    except psutil.Error:
        return False
    return bool(arguments) and Path(arguments[0]).name in programs and str(data) in arguments


def stop_server(data: Path) -> int | None:
    """Stop the server of `data` in immediate mode, by force if need be; its process id, or None."""
    server = find_server(data)
    if server is not None and end(server, signal.SIGQUIT):
        return int(server.pid)
    for _ in range(3):  # each may have started another one meanwhile
        found = processes_in(data)
        for process in found:
            end(process, signal.SIGKILL)
        if not found:
            break
    remove_shared_memory(data)
    return int(server.pid) if server else None


def remove_shared_memory(data: Path) -> None:
    """Remove the segment (56 bytes) that a killed server of `data` left in the kernel.

    What the file says may be a dump's doing: only a segment of the server's account is taken.
    """
    with suppress(OSError, ValueError, IndexError):
        lines = untrusted.read_text(data / "postmaster.pid").splitlines()
        account = str(data.lstat().st_uid)
        _key, segment = lines[6].split()
        for row in Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]:
            _, number, _, _, creator, _, attached, owner = row.split()[:8]
            is_left = (number, creator, attached) == (segment, lines[0].lstrip("-"), "0")
            if is_left and owner == account:
                subprocess.run(["ipcrm", "-m", segment], check=False, capture_output=True)


def end(process: psutil.Process, order: signal.Signals) -> bool:
    """Send `order` to `process` and wait for its end; False when it did not finish in time."""
    deadline = time.monotonic() + PATIENCE
    with suppress(psutil.Error):
        process.send_signal(order)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
    # As process 1 of a container we inherit the server, and nobody else takes its zombie away.
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    return True


def processes_in(data: Path) -> list[psutil.Process]:
    """Processes that work in `data`: of a killed server, or of one just starting."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_program = process.name() in PROGRAMS
            if is_program and (process.cwd() == str(data) or works_in(process, data)):
                found.append(process)
    return found


def await_end(pid: int) -> None:
    """Wait until our child `pid` has ended: Popen.wait looks at it every 50 ms only."""
    with suppress(OSError), ExitStack() as stack:
        ended = os.pidfd_open(pid)
        stack.callback(os.close, ended)
        waiting = select.poll()
        waiting.register(ended, select.POLLIN)
        waiting.poll(PATIENCE * 1000)


def ending_with_us(parent: int) -> Callable[[], None]:
    """Function by which a child of the process `parent` makes itself end when that does."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def enter() -> None:
        os.setsid()
        if prctl is not None:
            prctl(SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return enter

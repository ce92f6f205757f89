"""Runs one drill, and ends it with whoever holds our standard input: a script by itself.

`warden.py PATIENCE FOLDER COMMAND...`. Standard input is a pipe that the worker keeps open: its
end says that the drill is not wanted any more, or that the worker was killed. Then the drill is
asked to end (SIGTERM), cleans up by itself, and after PATIENCE seconds it is killed with all of its
group. Its FOLDER is removed where no worker is left to do it. The exit status is the drill's, 128
and the number for a signal that ended it. The fork server (`forks`) guards its drills likewise.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import NoReturn

SET_PDEATHSIG = 1
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def start(run: Callable[[], NoReturn], warden: int, ours: Iterable[int]) -> int:
    """Start `run` in a process and group of its own, which is asked to end with us; its id.

    It has none of the descriptors that are `ours`.
    """
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        for each in (*ENDING, signal.SIGCHLD):
            signal.signal(each, signal.SIG_DFL)
        os.setpgid(0, 0)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != warden:  # it was killed before it could be watched
            os._exit(1)
        no_input()
        for descriptor in ours:
            os.close(descriptor)
    except BaseException:  # noqa: BLE001 - the warden's own work is not for this process
        os._exit(127)
    return run()


def no_input() -> None:
    """Give this process an empty standard input."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def execute(command: list[str]) -> NoReturn:
    """Become `command`; exit status 127 where there is none."""
    try:
        os.execvp(command[0], command)  # noqa: S606 - the very command that we were given
    finally:
        os._exit(127)


def watch(pid: int, signals: int, patience: float) -> int:
    """Wait for the drill `pid`, which is ended as the module says; its exit status."""
    watched, until = {0, signals}, float("inf")
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        left = until - time.monotonic()
        if left <= 0:
            send(pid, signal.SIGKILL)
            until = float("inf")
            continue
        ready = select.select(list(watched), [], [], None if left == float("inf") else left)[0]
        came = os.read(signals, 64) if signals in ready else b""
        is_asked = any(number in came for number in ENDING)
        if 0 in ready and not os.read(0, 64):
            watched.discard(0)
            is_asked = True
        if is_asked and until == float("inf"):
            until = time.monotonic() + patience
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to all of the group that `pid` leads, and to itself."""
    for each in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            each(pid, number)


def guard(run: Callable[[], NoReturn], patience: float) -> int:
    """Have `run` done in a process of its own, as the module says; its exit status."""
    there, here = os.pipe()
    os.set_blocking(here, False)
    for each in (*ENDING, signal.SIGCHLD):
        signal.signal(each, lambda *_: None)
    signal.set_wakeup_fd(here)
    pid = start(run, os.getpid(), (there, here))
    code = watch(pid, there, patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # what a drill that was killed has left running
    return code


def main() -> int:
    """Run the command that the arguments give."""
    worker = os.getppid()
    code = guard(partial(execute, sys.argv[3:]), float(sys.argv[1]))
    if os.getppid() != worker:
        shutil.rmtree(sys.argv[2], ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())

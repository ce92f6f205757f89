"""Starts drills as copies of this process, which has loaded what they need: a script by itself.

A fork server: a drill of a few megabytes is a second of work, and half of that goes into loading
Python's modules. Standard input is a socket. On it come a byte and four descriptors for each
drill: the pipe that holds it (its first line is the drill as JSON, see `starting`), the file for
its output, the lock of its folder, and a pipe for BEGUN and then its exit status. The end of the
socket is ours.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import shutil
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

READY, BEGUN = b"r", b"b"
FEW = 4
"""Descriptors of a drill."""


def main(suite: Path) -> None:
    """Load, say that we are ready, and start drills as long as somebody can ask for them."""
    control = socket.socket(fileno=0)
    own = str(Path(__file__).resolve().parent)
    paths = [each for each in sys.path if each != own]
    sys.path[:] = [str(suite), str(suite / "src"), *paths]
    load()
    sys.path[:] = paths
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        return  # a copy of a process with threads may wait for a lock for ever
    control.send(READY)
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, FEW)
        if len(descriptors) < FEW:
            return
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        try:
            pid = os.fork()
        except OSError:  # its exit status is never written
            pid = -1
        if pid == 0:
            control.detach()  # what comes in its place is the drill's
            serve(descriptors, suite)
        for each in descriptors:
            os.close(each)


def load() -> None:
    """Load what drills need, and what guards them."""
    import_module("restore_drill.fleet.pool.warden")
    import_module("fixtures.commands.preload").preload()
    gc.collect()
    gc.freeze()


def serve(descriptors: list[int], suite: Path) -> NoReturn:
    """Guard one drill, in a process of its own; nobody left to hear of it: remove its folder."""
    from restore_drill.fleet.pool.warden import guard  # noqa: PLC0415 - loaded by now

    pipe, output, _, status = descriptors
    try:
        os.setsid()
        os.set_inheritable(status, False)
        for number, other in enumerate((pipe, output, output)):
            os.dup2(other, number)
        os.close(pipe)
        os.close(output)
        os.write(status, BEGUN)
        job = json.loads(first_line(0))
        os.environ.update(job["environment"])
        os.chdir(job["home"])
    except (OSError, ValueError, EOFError):
        os._exit(127)
    code = guard(partial(drill, suite, job["arguments"], status), job["patience"])
    try:
        os.write(status, bytes([code]))
    except BrokenPipeError:
        shutil.rmtree(job["folder"], ignore_errors=True)
    os._exit(0)


def first_line(descriptor: int) -> bytes:
    """Bytes up to the end of a line: the writer writes no more than that."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(descriptor, 65_536)
        if not part:
            raise EOFError
        line += part
    return line


def drill(suite: Path, arguments: list[str], status: int) -> NoReturn:
    """Be what `python SUITE/drill ARGUMENTS` is."""
    os.close(status)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [str(suite / "drill"), *arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A server is handed over to its keeper: a process that outlives the drill, and has a limit."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from restore_drill.core.calling import PACKAGE
from restore_drill.core.units import show_time
from restore_drill.keep.kept import KEEPER, PASSWORD, PATIENCE, Kept, kept_of
from restore_drill.keep.lines import MARK, READY

ORDERS = (signal.SIGTERM, signal.SIGINT)
"""What ends a keeper, and its server first."""
OF_ENGINES = ("DOCKER_", "TESTCONTAINERS_", "TC_", "XDG_", "HOME")
"""Beginnings of the variables by which a container engine is found."""


def hand_over(
    spec: Mapping[str, Any], lock: BinaryIO, seconds: float, more: Iterable[int] = ()
) -> Kept:
    """Start the keeper of the server that `spec` describes, for so many seconds.

    It gets the `lock` of the run directory, which is closed here, and `more` descriptors. Raises
    OSError where it does not come up: then all is as before.
    """
    until = time.time() + seconds
    spec = {"kind": "", "walls": None, "patience": PATIENCE, **spec, "until": until}
    # It obeys orders once it can carry them out: until then they wait.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-m", KEEPER, json.dumps(spec)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment_of_keeper(),
            start_new_session=True,
            pass_fds=[lock.fileno(), *more],
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    await_ready(keeper, spec["patience"])
    found = kept_of(spec, psutil.Process(keeper.pid))
    lock.write(f"{MARK}{show_time(found.until)}".encode())
    lock.close()
    keeper.returncode = 0  # it is to outlive this process, which asks for it no more
    return found


def environment_of_keeper() -> dict[str, str]:
    """Where it finds what this process has imported: not all of that is where Python looks."""
    path = dict.fromkeys([str(PACKAGE.parent), *filter(os.path.isabs, sys.path)])
    engine = {name: text for name, text in os.environ.items() if name.startswith(OF_ENGINES)}
    return engine | {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(path)}


def await_ready(keeper: subprocess.Popen[bytes], patience: float) -> None:
    """Wait until the `keeper` holds the server; OSError, and it is ended, after `patience`."""
    assert keeper.stdout is not None
    with keeper.stdout as said:
        if select.select([said], [], [], patience)[0] and said.read(len(READY)) == READY:
            return
    keeper.kill()
    keeper.wait()
    raise OSError(errno.ECHILD, "the process that should keep the server running did not start")


def note_password(run: Path, text: str) -> Path:
    """Write `text` into a file in `run` that this user alone can read; its path. OSError."""
    path = run / PASSWORD
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return path

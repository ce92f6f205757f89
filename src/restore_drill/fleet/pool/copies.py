"""What a fork server is asked for, and a drill that it has begun: two pipes."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from restore_drill.fleet.pool import forks
from restore_drill.fleet.pool.folders import WORK

BEGINNING = 10.0
"""Seconds for it to begin a drill; it takes some milliseconds."""
KILLED = 128 + 9
"""Exit status of a drill whose warden was killed."""


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


class Copy:
    """A drill that a fork server has begun: the pipe that holds it, and that of its status."""

    def __init__(self, held: BinaryIO, status: BinaryIO) -> None:
        """Nothing has come."""
        self.held, self.status = held, status
        self.code: int | None = None

    def has_begun(self) -> bool:
        """Whether it says within BEGINNING that it is there."""
        return has_come(self.status, BEGINNING) and self.status.read(1) == forks.BEGUN

    def tell(self, asked: Asked) -> None:
        """Say what it is to do."""
        job = {
            "arguments": asked.arguments, "environment": dict(asked.environment),
            "home": str(asked.folder / WORK), "folder": str(asked.folder),
            "patience": asked.patience,
        }  # fmt: skip
        left = memoryview(json.dumps(job).encode() + b"\n")
        with suppress(BrokenPipeError):
            while left:
                left = left[self.held.write(left) :]

    @contextmanager
    def running(self) -> Iterator[Process]:
        """It, and its pipes are closed afterwards."""
        try:
            yield Process(self.wait, self.held.close)
        finally:
            self.close()

    def wait(self, timeout: float | None) -> int:
        """The exit status; TimeoutExpired after so many seconds."""
        if self.code is None:
            if not has_come(self.status, timeout):
                raise subprocess.TimeoutExpired("drill", timeout or 0)
            self.code = next(iter(self.status.read(1)), KILLED)
        return self.code

    def close(self) -> None:
        """Close the pipes."""
        self.held.close()
        self.status.close()


def pipe() -> tuple[BinaryIO, BinaryIO]:
    """The two ends of a pipe, unbuffered."""
    there, here = os.pipe()
    return os.fdopen(there, "rb", buffering=0), os.fdopen(here, "wb", buffering=0)


def has_come(source: BinaryIO | socket.socket, timeout: float | None) -> bool:
    """Whether there is something to read, or an end, within so many seconds."""
    poll = select.poll()
    poll.register(source, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))

"""A program that is run again and again, in several threads, until nobody waits for it any more."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from restore_drill.backups.physical.programs import Done
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration


class Programs:
    """Runs `command` with more arguments, each time for at most `limit` seconds."""

    def __init__(self, command: Sequence[str], limit: float) -> None:
        """Nothing runs yet."""
        self.command, self.limit = command, limit
        self.running: set[subprocess.Popen[bytes]] = set()
        self.is_stopped = False
        self.lock = threading.Lock()

    def stop(self) -> None:
        """End all that runs, and begin nothing more."""
        with self.lock:
            self.is_stopped = True
            for each in self.running:
                end(each)

    def run(self, *arguments: str) -> Done:
        """How it ended, and what it printed; where it failed, also what it said of that."""
        code, output, said = self.started(arguments, subprocess.PIPE)
        return Done(code, (said if code else output).decode(errors="replace"))

    def write(self, to: Path, *arguments: str) -> Done:
        """How it ended, and what it said; what it prints is written to `to`. Raises OSError."""
        with to.open("wb", buffering=0) as file:
            code, _, said = self.started(arguments, file)
        return Done(code, said.decode(errors="replace"))

    def started(self, arguments: Sequence[str], to: IO[bytes] | int) -> tuple[int, bytes, bytes]:
        """Exit code, output and messages of one run."""
        name = Path(self.command[0]).name
        with self.lock:
            if self.is_stopped:
                raise CouldNotRun(f"{name} was not started: the drill ends")
            process = subprocess.Popen(
                [*self.command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=to,
                stderr=subprocess.PIPE,
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )
            self.running.add(process)
        try:
            output, said = process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            raise CouldNotRun(
                f"{name} did not end within {show_duration(self.limit)} and was ended",
                remedy=remedy_for("archive", "slow"),
            ) from None
        finally:
            end(process)
            process.wait()
            with self.lock:
                self.running.discard(process)
        return process.returncode, output or b"", said or b""


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and its children."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

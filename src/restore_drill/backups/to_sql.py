"""An archive as SQL text: pg_restore writes it, no server is involved."""

from __future__ import annotations

import contextlib
import math
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from restore_drill.backups.archive import Header, reading_tools
from restore_drill.backups.ended import refuse_killed
from restore_drill.backups.streams import READ_ERRORS
from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.binaries import Binaries

STALL_SECONDS = 60.0
"""pg_restore may spin for ever on a cut archive; after so long without output it is ended."""


@dataclass
class SqlRun:
    """pg_restore writing an archive as SQL: its `output`, and after the end what went wrong."""

    output: IO[bytes]
    fault: str = ""


class Watched:
    """Output of a process, which is ended when a reader has waited STALL_SECONDS for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Watch `process`, whose stdout is a pipe."""
        self.process = process
        self.waiting_since = math.inf
        self.stalled = False
        self.closed = threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        """End the process when it stalls."""
        while not self.closed.wait(1.0):
            if time.monotonic() - self.waiting_since > STALL_SECONDS:
                self.stalled = True
                self.process.kill()
                return

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        assert self.process.stdout is not None
        self.waiting_since = time.monotonic()
        data = self.process.stdout.read(size)
        self.waiting_since = math.inf
        return data


class Feeder(threading.Thread):
    """Writes `packed` into `pipe` until pg_restore has read enough; what is damaged just ends."""

    def __init__(self, packed: IO[bytes], pipe: IO[bytes]) -> None:
        """Not yet started."""
        super().__init__(daemon=True)
        self.packed = packed
        self.pipe = pipe
        self.error: CouldNotRun | None = None

    def run(self) -> None:
        """Write all of it; a network that fails is no damage of the backup."""
        try:
            with contextlib.suppress(*READ_ERRORS), self.pipe:
                while chunk := self.packed.read(1 << 16):
                    self.pipe.write(chunk)
        except CouldNotRun as error:
            self.error = error

    def end(self) -> None:
        """Wait for the end; CouldNotRun where it was one."""
        self.join()
        if self.error:
            raise self.error


@contextmanager
def restore_to_sql(
    header: Header,
    path: Path,
    *options: str,
    tools: Binaries | None = None,
    packed: IO[bytes] | None = None,
) -> Iterator[SqlRun]:
    """pg_restore (of `tools`, else of any that can) of the archive at `path` into SQL text.

    Where it lies in a compressed file, `packed` gives its bytes. No server is involved.
    """
    tool = (tools or reading_tools(header)).tool("pg_restore")
    command = [tool, "--file=-", *options, *([] if packed else [str(path)])]
    source = subprocess.PIPE if packed else subprocess.DEVNULL
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=errors)
        feeder = Feeder(packed, process.stdin) if packed and process.stdin else None
        if feeder:
            feeder.start()
        watched = Watched(process)
        run = SqlRun(output=cast("IO[bytes]", watched))
        try:
            yield run
            if process.stdout is not None:
                process.stdout.close()
            code = process.wait()
        finally:
            watched.closed.set()
            process.kill()
            if process.stdout is not None:
                process.stdout.close()
            process.wait()
            if feeder:
                feeder.end()
        if not watched.stalled:
            refuse_killed("pg_restore", code)
        errors.seek(0)
        run.fault = fault_of(
            code, errors.read().decode("utf-8", "replace"), stalled=watched.stalled
        )


def fault_of(code: int, stderr: str, *, stalled: bool) -> str:
    """What pg_restore reported of an archive it could not read, empty where it could."""
    if stalled:
        return (
            f"pg_restore wrote nothing for {STALL_SECONDS:.0f} s and was stopped: "
            "the archive is truncated"
        )
    lines = [line.removeprefix("pg_restore: ") for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error:")]
    if code == 0 and not errors:
        return ""
    return "pg_restore cannot read it: " + ("; ".join(errors or lines[-3:]) or f"exit code {code}")

"""A stream that a program or another thread writes into a pipe, with limits and a last word."""

from __future__ import annotations

import fcntl
import io
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, Protocol

from restore_drill.backups.wraps.findings import stalled

STALL_SECONDS = 120.0
"""A decryptor that takes and gives nothing for so long is ended."""
PATIENCE = 1.0
"""Seconds in which a thread or a program that is no longer wanted ends."""
CAPACITY = 1 << 20
PIECE = 1 << 18


class Source:
    """The stream that is decrypted: it keeps what went wrong in it, and when it was last read."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Read `stream`."""
        self.stream = stream
        self.error: BaseException | None = None
        self.last = time.monotonic()

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        try:
            return self.stream.read(size)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.last = time.monotonic()


class Worker(Protocol):
    """What writes into the pipe."""

    def finish(self) -> None:
        """Wait for its end, once the pipe has ended; raise what is wrong with what it wrote."""

    def stop(self) -> None:
        """End it early."""


class Piped(io.RawIOBase):
    """Reads a pipe; at its end, or instead of it, comes what its `worker` has to say."""

    def __init__(self, handle: int, source: Source, worker: Worker) -> None:
        """Own the pipe's `handle`."""
        self.handle = handle
        self.source = source
        self.worker = worker
        self.error: BaseException | None = None
        self.ended = False
        with suppress(OSError, AttributeError):  # Linux alone has that
            fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, CAPACITY)

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what there is, once there is something; raises how it ended."""
        if self.error is not None:
            raise self.error
        if self.ended:
            return 0
        try:
            self.wait()
            if count := os.readv(self.handle, [buffer]):
                return count
            self.ended = True
            self.finish()
        except Exception as error:
            self.error = error
            raise
        return 0

    def wait(self) -> None:
        """Wait for bytes; raises where none come, and none are taken, for long."""
        began = time.monotonic()
        while not select.select([self.handle], [], [], 1.0)[0]:
            if time.monotonic() - max(began, self.source.last) > STALL_SECONDS:
                raise stalled(STALL_SECONDS)

    def finish(self) -> None:
        """Raise what went wrong: in the source, else in the decryption."""
        try:
            self.worker.finish()
        finally:
            if self.source.error is not None:
                raise self.source.error

    def close(self) -> None:
        """End what writes, and close the pipe."""
        if not self.closed:
            os.close(self.handle)
            self.worker.stop()
        super().close()


def buffered(handle: int, source: Source, worker: Worker) -> IO[bytes]:
    """The stream that a pipe gives."""
    return io.BufferedReader(Piped(handle, source, worker), PIECE)


class Sink:
    """The end of a pipe that a library writes to, in pieces worth a system call."""

    def __init__(self, handle: int) -> None:
        """Own the pipe's `handle`."""
        self.file = io.BufferedWriter(io.FileIO(handle, "wb"), PIECE)

    def write(self, data: bytes) -> int:
        """Take `data`; BrokenPipeError where nobody reads any more."""
        return self.file.write(data)

    def flush(self) -> None:
        """Leave it for the next piece."""

    def close(self) -> None:
        """Write the rest."""
        with suppress(BrokenPipeError):
            self.file.close()


class Work(threading.Thread):
    """Runs `work`, which writes into a sink; `explain` gives what to raise for its error."""

    def __init__(
        self, work: Callable[[Sink], None], sink: Sink, explain: Callable[[Exception], Exception]
    ) -> None:
        """Not yet started."""
        super().__init__(daemon=True)
        self.work = work
        self.sink = sink
        self.explain = explain
        self.error: Exception | None = None

    def run(self) -> None:
        """Do it, and end the pipe."""
        try:
            self.work(self.sink)
        except Exception as error:  # noqa: BLE001 - whatever it is, the reader raises it
            self.error = error
        finally:
            self.sink.close()

    def finish(self) -> None:
        """Raise its error."""
        self.join()
        if self.error is not None:
            raise self.explain(self.error)

    def stop(self) -> None:
        """Give it time to meet the closed pipe."""
        self.join(PATIENCE)


def from_thread(
    work: Callable[[Sink], None], source: Source, explain: Callable[[Exception], Exception]
) -> IO[bytes]:
    """What `work` writes in a thread of its own, reading `source`."""
    reading, writing = os.pipe()
    worker = Work(work, Sink(writing), explain)
    worker.start()
    return buffered(reading, source, worker)

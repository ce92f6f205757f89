"""A backup that is still on its way here: read from the front while a thread fills its file.

Whatever brings the bytes is an iterator. It fills a file of this machine that has the backup's own
name, so that all that goes by names and paths works as for a local one. `open_bytes` is how the
bytes of any backup are read, below its layers; of one that is on its way, a reader waits for those
that have not arrived.

What ends the iterator, its readers raise: a network that fails is a CouldNotRun, never damage.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from restore_drill.backups.written import OWNER_ALONE, write_all
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import progress_line, show_bytes, show_duration

AHEAD = 4 << 20
"""Bytes that are fetched beyond what was asked for, before it is known that all are wanted."""
STALL_SECONDS = 120.0
"""Without a byte for so long, waiting ends; what fetches has limits of its own, which are lower."""
POLL_SECONDS = 0.25
Report = Callable[[str], None]


class Arrival:
    """A file at `path` that is being filled with `pieces`, counted and digested on their way.

    `size` are their bytes, None where their place does not say, `md5` is what may be their MD5.
    Until `go` is called no more than AHEAD is fetched beyond what readers ask for: a look at the
    head of a backup does not bring all of it here.
    """

    def __init__(
        self, path: Path, pieces: Iterable[bytes], size: int | None, md5: str = ""
    ) -> None:
        """Begin to fill a new file, which nobody else may read; FileExistsError."""
        self.path, self.pieces, self.size = path, pieces, size
        self.digest = hashlib.sha256()
        self.md5, self.summed = md5, hashlib.md5(usedforsecurity=False)
        self.arrived = self.asked_for = 0
        self.is_whole = self.is_wanted = self.is_closed = self.is_kept = False
        self.error: BaseException | None = None
        self.started = self.last_at = self.ended = time.monotonic()
        self.paused = 0.0
        self.changed = threading.Condition()
        self.file = io.FileIO(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ALONE), "w")
        arrivals[path] = self
        self.thread = threading.Thread(target=self.fill, name=f"arrival of {path.name}")
        self.thread.daemon = True
        self.thread.start()

    def fill(self) -> None:
        """Take the pieces in, until they end, fail, or nobody wants more."""
        try:
            with self.file:
                for piece in self.pieces:
                    write_all(self.file, piece, self.path.parent)
                    self.digest.update(piece)
                    if self.md5:
                        self.summed.update(piece)
                    if not self.may_go_on(len(piece)):
                        break
        except BaseException as error:  # noqa: BLE001 - whatever it is, readers raise it
            self.error = error
        finally:
            with self.changed:
                self.ended = time.monotonic()
                self.is_whole = self.error is None and not self.is_closed
                self.changed.notify_all()

    def may_go_on(self, count: int) -> bool:
        """Note that `count` more bytes are there; wait while no more are wanted."""
        with self.changed:
            self.arrived += count
            self.last_at = time.monotonic()
            self.changed.notify_all()
            self.changed.wait_for(
                lambda: self.is_closed or self.is_wanted or self.arrived < self.asked_for + AHEAD
            )
            self.paused += time.monotonic() - self.last_at
            return not self.is_closed

    def go(self) -> None:
        """From now on all of it is wanted."""
        with self.changed:
            self.is_wanted = True
            self.changed.notify_all()

    def open(self) -> io.BufferedReader:
        """Its bytes from the front; a read waits for them, and raises what kept them away."""
        return io.BufferedReader(Reader(self), 1 << 16)

    def until(self, position: int) -> int:
        """Wait for bytes behind `position`; how many are there, none at the end of the file."""
        with self.changed:
            self.asked_for = max(self.asked_for, position)
            self.changed.notify_all()
            self.wait_for(lambda: self.arrived > position)
            return self.arrived - position

    def wait(self, report: Report | None = None, stop: threading.Event | None = None) -> None:
        """Wait until all of it is there, or `stop` is set; raises what kept it away."""
        self.go()
        with self.changed:
            self.wait_for(lambda: bool(stop and stop.is_set()), report)

    def wait_for(self, is_enough: Callable[[], bool], report: Report | None = None) -> None:
        """Wait for what `is_enough`, or the end; raises what kept the rest away.

        It polls: an interrupt ends no wait for a lock in which nothing happens.
        """
        began = time.monotonic()
        while not (is_enough() or self.is_whole):
            if self.error is not None:
                raise self.error.with_traceback(None)
            if self.is_closed:
                raise CouldNotRun(f"{self.path.name} is no longer being fetched")
            if time.monotonic() - max(began, self.last_at) > STALL_SECONDS:
                raise CouldNotRun(
                    f"no more of {self.path.name} has arrived for {show_duration(STALL_SECONDS)}",
                    checked=[f"{show_bytes(self.arrived)} of it had arrived"],
                    remedy=remedy_for("places", "slow"),
                )
            self.changed.wait(POLL_SECONDS)
            if report:
                report(self.progress)

    @property
    def whole_size(self) -> int:
        """Bytes of the original; waits for all of it where its place does not say."""
        if self.size is None:
            self.wait()
        return self.arrived if self.size is None else self.size

    @property
    def progress(self) -> str:
        """`fetching the backup: 12.0 MB of 50.0 MB, 6.0 MB/s, 6 s left`."""
        seconds = time.monotonic() - self.started - self.paused
        return progress_line("fetching the backup", self.arrived, self.size or 0, seconds)

    def close(self) -> None:
        """Fetch no more of it, and forget it; its file stays for who owns the folder."""
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()
        self.thread.join(POLL_SECONDS)
        arrivals.pop(self.path, None)


arrivals: dict[Path, Arrival] = {}
"""What is on its way, or has come, by the path of its file."""


class Reader(io.RawIOBase):
    """Reads an arrival from the front; it can seek, which waits for nothing."""

    def __init__(self, arrival: Arrival) -> None:
        """Begin at its first byte."""
        self.arrival = arrival
        self.raw = arrival.path.open("rb", 0)

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether it can seek: always, but not from the end."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to `offset`; to the end, once all is there."""
        if whence == os.SEEK_END:
            self.arrival.wait()
        return self.raw.seek(offset, whence)

    def readinto(self, buffer: Any) -> int | None:
        """Fill `buffer` with what there is, once there is something."""
        there = self.arrival.until(self.raw.tell())
        return self.raw.readinto(memoryview(buffer)[:there]) if there > 0 else 0

    def close(self) -> None:
        """Close the file."""
        self.raw.close()
        super().close()


def open_bytes(path: Path) -> io.BufferedReader:
    """Bytes of the file at `path`, which may be on its way; once whole, that has a descriptor."""
    arrival = arrivals.get(path)
    return path.open("rb") if arrival is None or arrival.is_whole else arrival.open()

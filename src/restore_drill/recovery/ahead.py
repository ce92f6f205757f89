"""WAL files brought before the server asks: it replays one while others are on their way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from pathlib import Path

from restore_drill.backups.physical.wal_names import Segment, name_of, segment_of
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration
from restore_drill.places.waiting import begun

ROOM = 128 << 20
"""Bytes of WAL that wait for the server, with those that are on their way."""
AT_ONCE = 4
"""Files that are brought at the same time."""
POLL = 0.1
GRACE = 1.0
"""Seconds for files that are on their way when nobody wants them any more."""


class Stopped(Exception):
    """Nothing is waited for any more."""


class Ahead:
    """Files that `bring` brings to a path (None where there is none), each at most for `limit`."""

    def __init__(
        self,
        bring: Callable[[str], Path | None],
        may_be_there: Callable[[str], bool],
        limit: float,
    ) -> None:
        """Nothing is on its way yet; only what `may_be_there` is looked for ahead."""
        self.bring, self.may_be_there, self.limit = bring, may_be_there, limit
        self.coming: dict[str, Future[Path | None]] = {}
        self.places = threading.BoundedSemaphore(AT_ONCE)
        self.is_stopped = threading.Event()

    def get(self, name: str) -> Path | None:
        """Where `name` lies, None where the archive has none; raises what kept it from coming.

        What was not there when it was looked for ahead may have come since.
        """
        if name in self.coming and (path := self.taken(name)) is not None:
            return path
        self.coming[name] = begun(partial(self.bring, name))
        return self.taken(name)

    def taken(self, name: str) -> Path | None:
        """What is on its way under `name`, once it is there: it is given once."""
        coming = self.coming[name]
        try:
            return self.result_of(name, coming)
        finally:
            if coming.done():
                del self.coming[name]

    def result_of(self, name: str, coming: Future[Path | None]) -> Path | None:
        """What `coming` gives, once it does."""
        until = time.monotonic() + self.limit
        while not self.is_stopped.is_set():
            with suppress(TimeoutError):
                return coming.result(POLL)
            if coming.done():
                return coming.result()
            if time.monotonic() > until:
                raise CouldNotRun(
                    f"the WAL file {name} did not come within {show_duration(self.limit)}",
                    remedy=remedy_for("archive", "slow"),
                )
        raise Stopped

    def look_ahead(self, name: str, size: int) -> None:
        """Begin to bring what follows the segment `name` of `size` bytes, and drop all else."""
        segment = segment_of(name, size) if size else None
        if segment is None:
            return
        count = max(1, min(ROOM // size, 2 * AT_ONCE))
        wanted = [
            name_of(Segment(segment.timeline, segment.number + more), size)
            for more in range(1, count + 1)
        ]
        for each in set(self.coming) - set(wanted):
            drop(self.coming.pop(each))
        for each in wanted:
            if each not in self.coming and self.may_be_there(each):
                self.coming[each] = begun(partial(self.in_turn, each))

    def in_turn(self, name: str) -> Path | None:
        """Bring `name` once there is a place; None where nobody wants it any more."""
        with self.places:
            return None if self.is_stopped.is_set() else self.bring(name)

    def stop(self) -> None:
        """Begin nothing more, and let waits end."""
        self.is_stopped.set()

    def settle(self) -> None:
        """Wait a moment for what is on its way, once all that asks has ended."""
        wait(list(self.coming.values()), GRACE)


def drop(coming: Future[Path | None]) -> None:
    """Remove what `coming` gives, now or once it is there."""

    def remove(done: Future[Path | None]) -> None:
        with suppress(Exception):
            if (path := done.result()) is not None:
                path.unlink(missing_ok=True)

    coming.add_done_callback(remove)

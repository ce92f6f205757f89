"""How far a server is with its WAL, and what that took."""

from __future__ import annotations

import time

from restore_drill.backups.physical.wal_names import SEGMENT, segment_of
from restore_drill.core.units import progress_line
from restore_drill.recovery.control_data import ControlData
from restore_drill.recovery.evidence import Reading
from restore_drill.recovery.executor import RecoveringExecutor
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.model import Asked, Note, Part

DOING = "replaying WAL"


class Replay:
    """Shows how far `executor`'s server is, by the segment that it replays."""

    def __init__(
        self,
        executor: RecoveringExecutor,
        control: ControlData,
        fetcher: Fetcher | None,
        progress: Note,
    ) -> None:
        """Begin to count the time."""
        self.executor, self.control = executor, control
        self.fetcher, self.progress = fetcher, progress
        self.began = time.monotonic()
        self.segment, self.done = "", 0
        self.newest_of: dict[int, int] = {}

    def report(self) -> None:
        """Show how far it is, if that is known."""
        self.segment = self.executor.replaying() or self.segment
        size = self.control.segment_size
        here = segment_of(self.segment, size)
        if here is None:
            return
        begin = self.control.redo // size
        # At its end it reads the last segment once more.
        self.done = max(self.done, (here.number - begin) * size)
        total = max(self.done, (self.newest(here.timeline) - begin) * size)
        self.progress(progress_line(DOING, self.done, total, time.monotonic() - self.began))

    def newest(self, timeline: int) -> int:
        """Number of the newest segment of `timeline` in the archive; 0 while it is not known."""
        if self.fetcher is None or not self.fetcher.is_listed:
            return 0
        if timeline not in self.newest_of:  # there may be 100,000
            named = filter(SEGMENT.fullmatch, self.fetcher.names())
            newest = max((name for name in named if int(name[:8], 16) == timeline), default="")
            found = segment_of(newest, self.control.segment_size)
            self.newest_of[timeline] = found.number if found else 0
        return self.newest_of[timeline]

    def words(self) -> str:
        """What it is at, for a limit that ends it."""
        return f"{DOING}, at {self.segment}" if self.segment else DOING


def parts_of(
    reading: Reading, asked: tuple[Asked, ...], end_lsn: int, size: int, seconds: float
) -> list[Part]:
    """Parts of the `seconds` that a start took: WAL waited for, WAL replayed, and the rest."""
    waited = sum(each.seconds for each in asked)
    given = sum(1 for each in asked if each.found and SEGMENT.fullmatch(each.name))
    span = reading.replay_ended - reading.replay_began if reading.replay_ended else 0.0
    replayed = max(0.0, span - sum(each.seconds for each in asked if SEGMENT.fullmatch(each.name)))
    bytes_of_wal = max(0, end_lsn - reading.redo_from) if reading.redo_from is not None else 0
    return [
        Part("fetch", waited, given * size),
        Part("replay", replayed, bytes_of_wal),
        Part("start", max(0.0, seconds - waited - replayed)),
    ]

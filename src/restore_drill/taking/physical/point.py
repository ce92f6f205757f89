"""A snapshot, and the LSN at which recovery brings the same: see the package's docstring."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from restore_drill.backups.physical.wal_names import segment_name
from restore_drill.core.units import show_count
from restore_drill.facts.session import Connection
from restore_drill.manifest.point import Point
from restore_drill.servers.model import Target
from restore_drill.taking.physical.snapshots import Held, Mark, lsn_in, mark, snapshot_of, take
from restore_drill.taking.physical.wal import Commit, Wal

SECONDS = 60.0
"""So long a snapshot is sought that can be put into the order of the WAL."""
TRIES = 5
"""So many are taken before the WAL is read to judge them."""
MOST = 1 << 26
"""So much WAL is read at most, where there is a mark in it."""
REPLAYED = "SELECT pg_last_wal_replay_lsn()::text"
THERE = "SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text"


@dataclass(frozen=True)
class Finding:
    """How points are found in the `wal` of `target`, from the backup's end at `stop` on.

    The `timeline`, and the `size` of its segments, are those of the WAL.
    """

    target: Target
    wal: Wal
    stop: int
    timeline: int
    size: int

    def find(self, progress: Callable[[str], None]) -> tuple[Held, Point] | None:
        """A snapshot and its point, None where none was found; its session is the caller's."""
        until = time.monotonic() + SECONDS
        rounds = 0
        with closing(self.target.connect()) as marker:
            marker.execute("SET synchronous_commit = local")  # a standby may be away
            is_standby = marker.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
            marks = [] if is_standby else [mark(marker)]
            while time.monotonic() < until:
                rounds += 1
                progress(f"looking for a point of the WAL, {show_count(rounds * TRIES, 'try')}")
                if found := self.on_primary(marker, marks) if marks else self.on_standby(marker):
                    return found
        return None

    def on_primary(self, marker: Connection, marks: list[Mark]) -> tuple[Held, Point] | None:
        """Take some snapshots, and keep the one that is in order with the WAL, if one is.

        The WAL is read from the backup's end, from one of the `marks` where that is too much.
        """
        held: list[Held] = []
        kept: Held | None = None
        try:
            while len(held) < TRIES:
                held.append(take(self.target))
            marks.append(mark(marker))
            end = marks[-1].after
            self.wal.receive(end)
            near = [each for each in marks[:-1] if each.before < end - MOST]
            start, oldest = near[-1][:2] if near else (self.begin(self.stop), marks[0].xid)
            commits = self.wal.commits(start, end)
            for each in held:
                if point := self.of_primary(each, commits, oldest):
                    kept = each
                    return each, point
        finally:
            for each in held:
                if each is not kept:
                    each.session.close()
        return None

    def on_standby(self, standby: Connection) -> tuple[Held, Point] | None:
        """Take a snapshot, and keep it if it is in order with the WAL."""
        earliest = lsn_in(standby, REPLAYED)
        held = replace(take(self.target), earliest=earliest)
        try:
            end = lsn_in(standby, THERE)
            self.wal.receive(end)
            if point := self.of_standby(held, self.wal.commits(self.begin(earliest), end), end):
                return held, point
        except BaseException:
            held.session.close()
            raise
        held.session.close()
        return None

    def begin(self, lsn: int) -> int:
        """Where the segment begins that holds the byte before `lsn`."""
        return (lsn - 1) // self.size * self.size

    def of_primary(self, held: Held, commits: Sequence[Commit], oldest: int) -> Point | None:
        """The point of a snapshot of a primary; `oldest` was given where the `commits` begin.

        The mark behind it is not seen, so that there is one that is not. What was given before
        `oldest` may have been committed before the others: that cannot be seen here. A transaction
        that VACUUM runs is in no snapshot: it changes no row, and may be written behind the others.
        """
        snapshot = snapshot_of(held.text)
        late = [each for each in commits if not snapshot.sees(each.xid)]
        seen = (each.lsn for each in commits if snapshot.sees(each.xid))
        first = min(late, key=lambda each: each.lsn)
        if max((lsn for lsn in seen if lsn < held.latest), default=0) > first.lsn:
            return None
        unfinished = tuple(sorted(xid for xid in snapshot.running if xid < oldest))
        return self.point(first.before, first.lsn, held.text, unfinished)

    def of_standby(self, held: Held, commits: Sequence[Commit], end: int) -> Point | None:
        """The point of a snapshot of a standby: there, commits are seen in the order of the WAL.

        The record behind the last one that it says it has replayed may be seen already.
        """
        later = [each for each in commits if each.lsn >= held.earliest]
        if later:
            first = min(later, key=lambda each: each.lsn)
            is_apart = first.before >= held.latest
            return self.point(first.before, first.lsn, held.text) if is_apart else None
        if end > held.latest:
            return None  # what was received is about to be replayed
        last = self.wal.last_record(self.begin(held.earliest), end)
        return self.point(last, end, held.text) if last else None

    def point(
        self, lsn: int, before: int, snapshot: str, unfinished: tuple[int, ...] = ()
    ) -> Point:
        """The point behind the record at `lsn`."""
        segment = segment_name(self.timeline, lsn, self.size)
        return Point(lsn, before, self.timeline, segment, snapshot, unfinished)

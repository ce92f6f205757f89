"""A snapshot, and the LSN at which recovery brings the same: see the package's docstring."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from restore_drill.backups.physical.control import segment_name
from restore_drill.backups.physical.model import lsn_of
from restore_drill.core.units import show_count
from restore_drill.facts.session import Connection, open_session
from restore_drill.manifest.point import Point
from restore_drill.servers.model import Target
from restore_drill.taking.physical.wal import Commit, Wal

SECONDS = 60.0
"""So long a snapshot is sought that can be put into the order of the WAL."""
TRIES = 5
"""So many are taken before the WAL is read to judge them."""
HALF, WHOLE = 1 << 31, 1 << 32
MARK = "SELECT pg_current_xact_id()::text, pg_logical_emit_message(true, 'restore-drill', 'backup')"
SEE = """
    SELECT pg_current_snapshot()::text, CASE WHEN pg_is_in_recovery()
        THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text
"""
REPLAYED = "SELECT pg_last_wal_replay_lsn()::text"
THERE = "SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text"


class Snapshot(NamedTuple):
    """A snapshot as pg_current_snapshot shows it: what is `running` is not seen, nor from `end`."""

    end: int
    running: frozenset[int]

    def sees(self, xid: int) -> bool:
        """Whether it sees the transaction with these lower 32 bits, which has been committed."""
        whole = self.end + (xid - self.end + HALF) % WHOLE - HALF
        return whole < self.end and whole not in self.running


def snapshot_of(text: str) -> Snapshot:
    """`10:20:10,14` as the server shows it."""
    _, end, running = text.split(":")
    return Snapshot(int(end), frozenset(map(int, filter(None, running.split(",")))))


@dataclass
class Held:
    """A snapshot that a `session` holds; `earliest` and `latest` are LSNs read around it."""

    session: Connection
    text: str
    earliest: int
    latest: int

    def export(self) -> str:
        """Its name for other sessions."""
        row = self.session.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        return str(row[0])


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
            oldest, _ = (0, 0) if is_standby else mark(marker)
            while time.monotonic() < until:
                rounds += 1
                progress(f"looking for a point of the WAL, {show_count(rounds * TRIES, 'try')}")
                if found := self.round(marker, oldest, is_standby=is_standby):
                    return found
        return None

    def round(
        self, marker: Connection, oldest: int, *, is_standby: bool
    ) -> tuple[Held, Point] | None:
        """Take some snapshots, and keep the one that is in order with the WAL, if one is."""
        held: list[Held] = []
        kept: Held | None = None
        try:
            while len(held) < (1 if is_standby else TRIES):
                held.append(take(self.target, marker if is_standby else None))
            end = there(marker) if is_standby else mark(marker)[1]
            self.wal.receive(end)
            commits = self.wal.commits(self.start, end)
            for each in held:
                point = (
                    self.of_standby(each, commits, end)
                    if is_standby
                    else self.of_primary(each, commits, oldest)
                )
                if point:
                    kept = each
                    return each, point
        finally:
            for each in held:
                if each is not kept:
                    each.session.close()
        return None

    def of_primary(self, held: Held, commits: Sequence[Commit], oldest: int) -> Point | None:
        """The point of a snapshot of a primary; `oldest` was given after the backup's end.

        The commits that lie behind it are not seen, so that there is one. A transaction that VACUUM
        runs is in no snapshot: it changes no row, and may be written behind what was seen.
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
        last = self.wal.last_record(self.start, end)
        return self.point(last, end, held.text) if last else None

    @property
    def start(self) -> int:
        """Where what was received begins: in its first record lies the backup's end, or before."""
        return (self.stop - 1) // self.size * self.size

    def point(
        self, lsn: int, before: int, snapshot: str, unfinished: tuple[int, ...] = ()
    ) -> Point:
        """The point behind the record at `lsn`."""
        segment = segment_name(self.timeline, lsn, self.size)
        return Point(lsn, before, self.timeline, segment, snapshot, unfinished)


def take(target: Target, replay: Connection | None) -> Held:
    """Take a snapshot; where `replay` is a session on a standby, with what was replayed before."""
    earliest = lsn_in(replay, REPLAYED) if replay else 0
    session = open_session(target, snapshot="")
    try:
        row = session.execute(SEE).fetchone()
        assert row is not None
        return Held(session, str(row[0]), earliest, lsn_of(row[1]))
    except BaseException:
        session.close()
        raise


def mark(marker: Connection) -> tuple[int, int]:
    """Commit a transaction that changes nothing: its number, and an LSN behind it on the disk."""
    with marker.transaction():
        row = marker.execute(MARK).fetchone()
    assert row is not None
    return int(row[0]), lsn_in(marker, "SELECT pg_current_wal_flush_lsn()::text")


def there(standby: Connection) -> int:
    """Up to where a standby has WAL."""
    return lsn_in(standby, THERE)


def lsn_in(connection: Connection, query: str) -> int:
    """The LSN that a query gives; 0 where it gives none."""
    row = connection.execute(query.encode()).fetchone()
    return lsn_of(row[0]) if row and row[0] else 0

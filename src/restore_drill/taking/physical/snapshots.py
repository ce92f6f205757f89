"""Snapshots, and which transactions they see; transactions of ours that mark places of the WAL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from restore_drill.backups.physical.model import lsn_of
from restore_drill.facts.session import Connection, open_session
from restore_drill.servers.model import Target

HALF, WHOLE = 1 << 31, 1 << 32
MARK = "SELECT pg_current_xact_id()::text, pg_logical_emit_message(true, 'restore-drill', 'backup')"
SEE = """
    SELECT pg_current_snapshot()::text, CASE WHEN pg_is_in_recovery()
        THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text
"""


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


class Mark(NamedTuple):
    """A transaction of ours: an LSN `before` it began, its number, an LSN `after` it has ended."""

    before: int
    xid: int
    after: int


@dataclass
class Held:
    """A snapshot that a `session` holds; `earliest` and `latest` are LSNs read around it."""

    session: Connection
    text: str
    latest: int
    earliest: int = 0

    def export(self) -> str:
        """Its name for other sessions."""
        row = self.session.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        return str(row[0])


def take(target: Target) -> Held:
    """Take a snapshot."""
    session = open_session(target, snapshot="")
    try:
        row = session.execute(SEE).fetchone()
        assert row is not None
        return Held(session, str(row[0]), lsn_of(row[1]))
    except BaseException:
        session.close()
        raise


def mark(marker: Connection) -> Mark:
    """Commit a transaction that changes nothing."""
    before = lsn_in(marker, "SELECT pg_current_wal_insert_lsn()::text")
    with marker.transaction():
        row = marker.execute(MARK).fetchone()
    assert row is not None
    return Mark(before, int(row[0]), lsn_in(marker, "SELECT pg_current_wal_flush_lsn()::text"))


def lsn_in(connection: Connection, query: str) -> int:
    """The LSN that a query gives; 0 where it gives none."""
    row = connection.execute(query.encode()).fetchone()
    return lsn_of(row[0]) if row and row[0] else 0

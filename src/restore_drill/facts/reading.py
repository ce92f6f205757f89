"""Reads the fingerprint of a database: one plan, the tables shared out over parallel sessions."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import psycopg
from psycopg import sql

from restore_drill.core.server_errors import error_text
from restore_drill.core.units import progress_line
from restore_drill.facts.content import Relation
from restore_drill.facts.plan import follow
from restore_drill.facts.pool import HEAP_ONLY, abandon
from restore_drill.facts.recorded import Fingerprint, TableFacts
from restore_drill.facts.schema.outline import Positions, outline_of
from restore_drill.facts.session import Connection


class Reading:
    """A read-through of one database; its tables are locked against changes of their shape.

    `open_session` gives sessions of one snapshot, or of a database that nobody changes. Each
    session locks the tables that it will read at once: a lock asked for later could wait behind
    somebody's DDL, which waits for ours. psycopg's errors come from the constructor.
    """

    def __init__(self, open_session: Callable[[], Connection], jobs: int) -> None:
        """Open the sessions, plan what is read, and lock it."""
        self.sessions = [open_session()]
        self.done = 0
        self.counting = threading.Lock()
        self.stopped = threading.Event()
        try:
            self.outline = outline_of(self.main)
            readable = [relation for relation in self.outline.relations if relation.has_rows]
            self.shares = share_out(readable, jobs)
            self.sessions += [open_session() for _ in self.shares]
            for session, share in zip(self.sessions[1:], self.shares, strict=True):
                lock(session, share)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Read."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all sessions."""
        self.close()

    @property
    def main(self) -> Connection:
        """Session that reads everything but the tables."""
        return self.sessions[0]

    def stop(self) -> None:
        """Cancel what is being read; `read` ends soon, by an error."""
        self.stopped.set()
        for session in self.sessions:
            if session.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                with contextlib.suppress(psycopg.Error, OSError):
                    session.cancel_safe(timeout=5)

    def close(self) -> None:
        """End all sessions; nothing may be reading any more."""
        for session in self.sessions:
            session.close()

    def read(self, progress: Callable[[str], None]) -> Fingerprint:
        """Fingerprint of the database; a table that cannot be read keeps the server's message.

        The sequences' positions are those of the constructor's time, see `moved_to`.
        """
        started = time.monotonic()
        with ThreadPoolExecutor(len(self.sessions)) as pool:
            rest = pool.submit(self.outline.read_rest, self.main)
            jobs = [
                pool.submit(self.read_share, session, share)
                for session, share in zip(self.sessions[1:], self.shares, strict=True)
            ]
            every: list[Future[Any]] = [rest, *jobs]
            follow(
                every,
                lambda: progress(self.told(time.monotonic() - started)),
                self.stop,
                abandon=lambda: abandon(self.sessions),
            )
        fingerprint, _ = rest.result()
        found = {name: facts for job in jobs for name, facts in job.result().items()}
        fingerprint.tables.update(sorted(found.items()))
        return fingerprint

    def read_share(self, session: Connection, share: list[Relation]) -> dict[str, TableFacts]:
        """Facts of the tables in `share`."""
        found = {}
        for relation in share:
            if self.stopped.is_set():
                break
            found[relation.name] = facts_of(session, relation)
            with self.counting:
                self.done += relation.size
        return found

    def told(self, seconds: float) -> str:
        """`fingerprints: 120.0 MB of 238.0 MB, 40.0 MB/s, 3 s left`."""
        total = sum(relation.size for share in self.shares for relation in share)
        return progress_line("fingerprints", self.done, total, seconds)


def moved_to(fingerprint: Fingerprint, after: Positions) -> None:
    """Note in `fingerprint` where its sequences stand at the end of a dump."""
    for name, facts in fingerprint.sequences.items():
        fingerprint.sequences[name] = facts._replace(after=after.get(name, facts.before))


def share_out(relations: list[Relation], jobs: int) -> list[list[Relation]]:
    """`relations` in at most `jobs` shares of about the same size, the largest first."""
    shares: list[list[Relation]] = [[] for _ in range(min(jobs, len(relations)))]
    loads = [0] * len(shares)
    for relation in sorted(relations, key=lambda each: -each.size):
        least = loads.index(min(loads))
        shares[least].append(relation)
        loads[least] += relation.size + 1
    return shares


def lock(session: Connection, share: list[Relation]) -> None:
    """Keep the tables in `share` from being dropped, rewritten or emptied while they are read."""
    names = [
        sql.SQL("ONLY {}").format(sql.Identifier(each.schema, each.table))
        for each in share
        if each.kind == "r"
    ]
    if names:
        statement = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE")
        session.execute(statement.format(sql.SQL(", ").join(names)))


def facts_of(session: Connection, relation: Relation) -> TableFacts:
    """Facts of one table; an error is kept, so that it can never count as equal."""
    try:
        with session.transaction():
            session.execute("; ".join(HEAP_ONLY).encode())
            row = session.execute(relation.query()).fetchone()
    except psycopg.OperationalError as error:
        if session.broken:
            raise
        return TableFacts(None, error=error_text(error, relation.name))
    except psycopg.Error as error:
        return TableFacts(None, error=error_text(error, relation.name))
    assert row is not None
    return relation.facts(row)

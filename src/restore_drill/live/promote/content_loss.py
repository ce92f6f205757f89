"""What a promotion loses, table by table: the live database is compared with the restored one.

Both are on one server, so that rows, content and definitions compare exactly. What cannot be read
in the live one (a damaged page, a lock, a missing right) counts as a loss too: nobody knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_count
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.live.promote.not_swapped import WouldLose
from restore_drill.live.server.bounded import Limit, read_bounded
from restore_drill.live.server.locked import lines_on_locked
from restore_drill.live.server.loss_lines import lines_on_tables, lines_on_the_rest
from restore_drill.manifest.settle import compare_by_dump
from restore_drill.servers.model import Target

TRIES = 3
"""How often the two are compared where somebody writes meanwhile."""
ACCEPTED_SECONDS = 20.0
"""Seconds for the comparison where its outcome was accepted beforehand; else it may take longer."""
LATE = 0.6
"""Seconds after which PostgreSQL 14 counts what a session wrote that has ended."""

WRITTEN = """
    SELECT tup_inserted + tup_updated + tup_deleted
    FROM pg_catalog.pg_stat_database WHERE datid = %s
"""
NOT_COMPARED = "the live database could not be compared"
UNCOUNTED = "writes after the comparison cannot be noticed: track_counts is off"


@dataclass
class ContentLoss:
    """Compares `live`, whose number is `oid`, with `restored`; `server` leads past both.

    `written` is how many rows had been written in the live one when they were last compared; it
    is not looked at where the loss was `accepted`. Where the live one is absent, nothing is lost.
    """

    live: Target
    restored: Target
    server: Target
    oid: int
    jobs: int
    accepted: bool
    progress: Callable[[str], None]
    written: int | None = None

    def find(self) -> list[str]:
        """A line on each table, and on what else differs or could not be compared."""
        if self.live.is_absent:
            return []
        try:
            if self.accepted or not self.is_counted():
                return [*self.compare(), *([] if self.accepted else [UNCOUNTED])]
            for _ in range(TRIES):
                self.written = self.written_so_far()
                lines = list(self.compare())
                if lines or self.written == self.written_so_far():
                    break
        except psycopg.errors.LockNotAvailable as error:
            return [f"{NOT_COMPARED}: {error_text(error)}", *lines_on_locked(self.live, self.oid)]
        except psycopg.Error as error:
            return [f"{NOT_COMPARED}: {error_text(error)}"]
        return lines

    def refuse_written(self) -> None:
        """WouldLose where somebody has written since `find`; nobody may be connected any more."""
        if self.accepted or self.live.is_absent:
            return
        if self.server.major < 15:
            time.sleep(LATE)
        now = self.written_so_far()
        if now != self.written:
            count = show_count(now - (self.written or 0), "row")
            raise WouldLose(
                "the live database was written to after it was compared with the restored one",
                checked=[f"pg_stat_database: {count} inserted, updated or deleted"],
            )

    def is_counted(self) -> bool:
        """Whether the server counts what is written in the live database."""
        with self.live.connect() as connection:
            return connection.execute("SHOW track_counts").fetchone() == ("on",)

    def written_so_far(self) -> int:
        """Rows that were ever written in the live database."""
        with self.server.connect() as connection:
            row = connection.execute(WRITTEN.encode(), [self.oid]).fetchone()
        assert row is not None
        return int(row[0])

    def compare(self) -> Iterator[str]:
        """Lines on what differs; psycopg's errors where nothing can be compared."""
        deadline = time.monotonic() + ACCEPTED_SECONDS if self.accepted else None
        limit = Limit(ACCEPTED_SECONDS, "with --accept-loss") if self.accepted else None
        was, was_tables, left_out = read_bounded(
            self.live, self.jobs, self.progress, limit, deadline
        )
        now, now_tables, _ = read_bounded(self.restored, self.jobs, self.progress, limit, deadline)
        found = None
        if isinstance(was, Fingerprint) and isinstance(now, Fingerprint):
            found = compare_by_dump(was, now, self.restored, source=self.live)
            yield from lines_on_tables(was_tables, now_tables, found)
            yield from lines_on_the_rest(was, now, found)
        else:
            yield from lines_on_tables(was_tables, now_tables, None)
            error = was if isinstance(was, str) else now
            yield f"definitions, sequences and large objects could not be compared: {error}"
        yield from (f"{what} could not be compared: {why}" for what, why in left_out)

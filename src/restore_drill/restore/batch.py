"""A connection that sends many statements in one message, and gives up at the first report.

That saves a round trip for each, which is what many small tables cost. It is for what raises
neither error nor warning: all of it can be rolled back and repeated statement by statement, so that
each is reported as psql would report it.
"""

from __future__ import annotations

import threading

from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from restore_drill.backups.plaindump.events import Inserts, Statement
from restore_drill.restore.model import Restoration
from restore_drill.restore.session import Session
from restore_drill.servers.model import Target

MESSAGE = 1 << 16
"""Bytes of statements that are sent together."""
START = b"BEGIN; SET CONSTRAINTS ALL IMMEDIATE"
"""Deferred constraints are checked statement by statement too, as where each is committed."""


class NotSilent(Exception):
    """The server reported something, or the dump has transactions of its own."""


class Batch(Session):
    """Statements that wait for others, and are sent with them."""

    def __init__(self, target: Target, restoration: Restoration, stop: threading.Event) -> None:
        """Connect to `target`; `stop` ends every wait."""
        super().__init__(target, restoration, stop)
        self.waiting: list[bytes] = []
        self.size = 0
        self.is_sending = False

    def wait(self, sql: Statement) -> None:
        """Let one statement or more, or a part of one, wait for others."""
        self.current = self.current if self.waiting else sql
        self.waiting.append(sql.sql)
        self.size += len(sql.sql)

    def wait_whole(self, event: Inserts) -> bool:
        """Let INSERTs wait for the last of them to be whole, and for others.

        False where they are to go one by one, since the server may find other ends in them.
        """
        if self.is_alone and (self.escapes or self.is_overlapping):
            return False
        self.wait(Statement(event.line, event.data))
        if self.size >= MESSAGE and event.statements:
            self.send()
        return True

    def send(self, *, alone: bool = False) -> None:
        """Run the statements that wait; one that is to be `alone` is refused if it is several."""
        sql, self.waiting, self.size = b"\n".join(self.waiting), [], 0
        if sql:
            self.is_sending = True
            self.see(self.wire.exec_(sql, alone=alone))
            self.is_sending = False

    def doing(self) -> str:
        """What it is at: where many statements are sent together, the first of them."""
        return super().doing() + (" and what follows" if self.is_sending else "")

    def see(self, result: PGresult) -> None:
        """NotSilent after an error or a warning."""
        is_bad = result.status in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)
        if is_bad or self.has_warned:
            raise NotSilent

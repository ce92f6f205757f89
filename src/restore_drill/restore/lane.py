"""A connection that carries out portions: each in one transaction, or statement by statement."""

from __future__ import annotations

import threading

import psycopg
from psycopg.pq import TransactionStatus

from restore_drill.backups.plaindump.events import CopyData, CopyEnd, Event, Inserts, Statement
from restore_drill.backups.plaindump.statements import (
    COPY_IN,
    filled_table,
    is_large_object,
    is_whole_at_its_place,
)
from restore_drill.restore.batch import MESSAGE, START, Batch, NotSilent
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import MAX_ERRORS
from restore_drill.restore.portion import Portion
from restore_drill.restore.relations import query
from restore_drill.servers.model import Target

SEQUENCES = """
SELECT pg_catalog.string_agg(pg_catalog.format('SELECT %s, last_value, is_called FROM %s',
    c.oid, c.oid::pg_catalog.regclass), ' UNION ALL '),
    bool_and(pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
        AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
        AND pg_catalog.has_sequence_privilege(c.oid, 'UPDATE'))
FROM pg_catalog.pg_class c WHERE c.relkind = 'S' AND c.relpersistence <> 't'
"""


class Lane(Batch):
    """A connection for portions, which are tried as a whole at first."""

    def __init__(self, target: Target, restoration: Restoration, stop: threading.Event) -> None:
        """Connect to `target`; `stop` ends every wait."""
        super().__init__(target, restoration, stop)
        self.pid = self.connection.backend_pid
        self.values: list[list[bytes]] = []

    @property
    def is_within(self) -> bool:
        """Whether a COPY or a transaction of the dump's own is still to end."""
        status = self.connection.transaction_status
        return self.copying is not None or status not in (
            TransactionStatus.IDLE,
            TransactionStatus.UNKNOWN,
        )

    def attempt(self, portion: Portion) -> bool:
        """Carry out `portion` in a transaction that stays open; False where it was not silent."""
        self.waiting, self.size, self.values = [], 0, []
        with self.silently():
            try:
                self.apply(portion.settings)
                self.see(self.wire.exec_(START))
                self.values = self.sequences() if portion.takes_values else []
                for event in portion.events:
                    self.attempt_event(event)
                self.send()
            except NotSilent:
                return False
            except psycopg.Error as error:
                self.lost(error)
                return False
        return not self.wire.is_copying

    def attempt_event(self, event: Event) -> None:
        """Carry out one event, now or with others."""
        if isinstance(event, CopyData):
            self.wire.put_copy_data(event.data)
        elif isinstance(event, CopyEnd):
            for result in self.wire.end_copy():
                self.see(result)
        elif isinstance(event, Statement):
            self.attempt_statement(event)
        elif isinstance(event, Inserts) and not self.wait_whole(event):
            for statement in self.single(event):
                self.attempt_statement(statement)

    def attempt_statement(self, statement: Statement) -> None:
        """Carry out one statement, now or with others."""
        is_copy = COPY_IN.match(statement.sql)
        if is_copy or self.is_alone:
            self.send()
        self.wait(statement)
        if is_copy or self.is_alone or self.size >= MESSAGE:
            self.send(alone=self.is_alone)

    def commit(self, portion: Portion) -> bool:
        """End the transaction of `portion`; False where it was not kept, or not silently."""
        with self.silently():
            done = self.wire.exec_(b"COMMIT")
        if done.command_status != b"COMMIT":
            return False
        self.settings = dict(portion.after)
        self.restoration.statements += portion.statements
        return True

    def roll_back(self) -> None:
        """Undo what an attempt has done; of a sequence too, which no server does."""
        self.wire.exec_(b"ROLLBACK")
        for oid, last, called in self.values:
            self.wire.exec_(
                b"SELECT pg_catalog.setval(%b::pg_catalog.regclass, %b, '%b')" % (oid, last, called)
            )
        self.values = []

    def sequences(self) -> list[list[bytes]]:
        """Oid and state of each sequence; NotSilent where not all could be set back.

        A dump with SET SESSION AUTHORIZATION loads rows as whoever owns them.
        """
        all_of_them, may_set = query(self, SEQUENCES)[0]
        if not all_of_them:
            return []
        if may_set != b"t":
            raise NotSilent
        return query(self, all_of_them)

    def redo(self, portion: Portion) -> None:
        """Carry out `portion` statement by statement, so that each error is reported."""
        self.apply(portion.settings)
        for event in portion.events:
            self.feed(event)
            if len(self.restoration.errors) >= MAX_ERRORS:
                break
        self.settings = dict(portion.after)


def leaves_nothing(statement: Statement) -> bool:
    """Whether a session is after it as it was before."""
    is_known = is_whole_at_its_place(statement) or is_large_object(statement)
    return is_known or bool(filled_table(statement.sql))

"""Restores a dump in one transaction, many statements to a message.

It saves a commit and a round trip for each statement, which is what many small tables cost. It is
for dumps that raise neither error nor warning: at the first one all is rolled back, and the dump is
restored statement by statement, so that each error is reported as psql would report it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from psycopg.pq.abc import PGresult

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.plaindump.events import Inserts, Statement
from restore_drill.backups.plaindump.statements import (
    COPY_IN,
    INSERT,
    SETVAL,
    is_definition,
    is_large_object,
    setting_of,
)
from restore_drill.restore.batch import MESSAGE, START, Batch, NotSilent
from restore_drill.restore.frames import Frames
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import feed_all
from restore_drill.restore.source import begin, followed, open_sql
from restore_drill.servers.model import Target

LARGEST = 256_000_000
"""Bytes of a dump above which a second attempt would cost too much."""
LOCKS = """
    SELECT pg_catalog.current_setting('max_locks_per_transaction')::bigint
        * (pg_catalog.current_setting('max_connections')::bigint
            + pg_catalog.current_setting('max_prepared_transactions')::bigint)
"""
LOCKS_EACH, SHARE = 2, 0.25
"""Locks that an entry takes at most, on average: a table takes its TOAST table and the index of
that too. And the share of a server's locks that a restore may hold."""
TRANSACTION = re.compile(
    rb"[^A-Z]|(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE|LOCK|DECLARE)\b"
    rb"|(?:SET|RESET)\s(?!SESSION AUTHORIZATION\b)",
    re.IGNORECASE,
)
"""A transaction of the dump's own, what may be one behind a comment, or what does otherwise in a
transaction than alone; of those pg_dump writes settings alone, which are told apart by their names.
"""


class SingleTransaction(Batch):
    """Feeds the events of one dump to one connection, in one transaction."""

    in_runs = True

    def __init__(self, target: Target, restoration: Restoration) -> None:
        """Connect to `target` and begin."""
        super().__init__(target, restoration, threading.Event())
        self.is_silent = True
        self.frames = Frames()
        self.wire.exec_(START)

    def execute(self, statement: Statement) -> None:
        """Run one statement, now or with others; NotSilent where it cannot be one of many."""
        if TRANSACTION.match(statement.sql) and not setting_of(statement):
            if not self.frames.take(statement.sql.strip()):
                raise NotSilent
            return
        if not self.frames.pass_by(statement.sql):
            raise NotSilent
        if not self.may_wait(statement):
            self.send()
            super().execute(statement)
            return
        self.wait(statement)
        self.restoration.statements += 1
        if self.size >= MESSAGE:
            self.send()

    def inserts(self, event: Inserts) -> None:
        """Run INSERTs with others, as soon as the last of them is whole."""
        if self.wait_whole(event):
            self.restoration.statements += event.statements
        else:
            super().inserts(event)

    def may_wait(self, statement: Statement) -> bool:
        """Whether it needs no answer and changes nothing in how later ones are read."""
        if self.is_alone or len(statement.sql) > MESSAGE or COPY_IN.match(statement.sql):
            return False
        is_data = INSERT.match(statement.sql) or SETVAL.fullmatch(statement.sql)
        return bool(is_data) or is_definition(statement) or is_large_object(statement)

    def commit(self) -> None:
        """End the transaction; NotSilent where it was not kept."""
        self.send()
        if self.frames.is_within:
            raise NotSilent
        done = self.wire.exec_(b"COMMIT")
        if done.command_status != b"COMMIT":
            raise NotSilent

    def check(self, statement: Statement, result: PGresult) -> None:
        """Check the outcome of one statement."""
        del statement
        self.see(result)


def may_use_one_transaction(target: Target, contents: Contents) -> bool:
    """Whether all may be rolled back and begun anew: a copy, not too large, locks enough for it."""
    if not target.is_expendable or contents.read_bytes > LARGEST:
        return False
    return target.throwaway or has_locks(target, len(contents.entries) + contents.large_objects)


def has_locks(target: Target, objects: int) -> bool:
    """Whether a server that is not ours can lock so many `objects` in one transaction.

    Its table of locks is shared: where we filled it, the application would get none either.
    """
    return LOCKS_EACH * objects <= locks_for(target)


def locks_for(target: Target) -> float:
    """How many locks a restore may hold on `target`, a server that is not ours."""
    with target.connect() as connection:
        (locks,) = connection.execute(LOCKS).fetchone() or (0,)
    return SHARE * float(locks)


def restore_in_one_transaction(
    target: Target, backup: Backup, contents: Contents, progress: Callable[[str], None]
) -> Restoration | None:
    """Restore `backup` into the empty database of `target`.

    None, and nothing done, after an error or a warning.
    """
    restoration = begin(target, backup, "in one transaction")
    started = time.monotonic()

    feed = SingleTransaction(target, restoration)
    try:
        with open_sql(target, backup, contents) as stream:
            feed_all(feed, followed(stream, contents, progress), contents)
        feed.commit()
    except NotSilent:
        feed.wire.exec_(b"ROLLBACK")
        return None
    finally:
        feed.close()
    restoration.seconds = time.monotonic() - started
    return restoration

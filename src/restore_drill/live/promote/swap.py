"""Two databases swap their place in one transaction: the live name goes from one to the other.

PostgreSQL renames in a transaction (seen with 14 to 18): a kill of the drill or of the server
leaves either both names as they were, or both changed. The first rename locks the database, so
that nobody connects from then until the end: that, and not ALLOW_CONNECTIONS, keeps sessions out,
and nothing has to be let in again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.session import Connection
from restore_drill.live.promote.carry import carry
from restore_drill.live.promote.journal import (
    COMMITTING,
    CREATION,
    DONE,
    NO_DATABASE,
    PREPARED,
    PROMOTION,
    Journal,
    advance,
    note_end,
    way_back_command,
    write_journal,
)
from restore_drill.live.promote.not_swapped import not_swapped
from restore_drill.live.promote.settle import NotSettled, names_of, reconnect, settle
from restore_drill.live.server.name_lock import NameLock
from restore_drill.live.server.sessions import Ending, wait_for_transactions
from restore_drill.servers.model import Target

LEAST_WAIT = 1.0
"""Seconds that sessions have at least to end. PostgreSQL itself gives up after 5 s."""
LONGEST_NAME = 63
"""Bytes of a name that the server keeps."""
UNMARK = sql.SQL("COMMENT ON DATABASE {} IS NULL")
"""A created database is a drill's no more; a promoted one takes the comment of the live one."""


class Means(NamedTuple):
    """What a swap is done with.

    `server` leads through a third database, `lock` is on the live name, `folder` holds the
    journal, `max_wait` is in seconds; `at` is called with the name of each moment that is reached,
    `last_check` when nobody is in the live database any more: what it raises undoes the swap, and
    `keep_roles` in a promotion's transaction: the roles that were made for it stay with it.
    """

    server: Target
    lock: NameLock
    folder: Path
    max_wait: float
    at: Callable[[str], None] = lambda _: None
    last_check: Callable[[], None] = lambda: None
    keep_roles: Callable[[Connection], None] = lambda _: None
    announce: Callable[[Journal, int], None] = lambda *_: None


def kept_name(name: str, suffix: str, when: time.struct_time) -> str:
    """`shop_before_20261128_050012`, with `name` cut where the server would cut the whole."""
    tail = f"_{suffix}_{time.strftime('%Y%m%d_%H%M%S', when)}"
    head = name.encode()[: LONGEST_NAME - len(tail)].decode(errors="ignore")
    return head + tail


def swap(means: Means, journal: Journal) -> tuple[Journal, int]:
    """Carry out `journal`; gives it as it is then, and how many sessions were ended.

    NotSwapped where both names are as they were, NotSettled where that is not known.
    """
    means.lock.check()
    write_journal(means.folder, journal)
    means.at(PREPARED)
    pid = None
    try:
        with means.server.connect() as work:
            pid = work.info.backend_pid
            ended = exchange(work, means, journal)
    except (psycopg.Error, CouldNotRun) as error:
        done = settle(means.server, means.folder, journal, pid)
        if done.step == DONE:
            means.announce(done, 0)
            return done, 0
        raise not_swapped(means.server, means.max_wait, journal, error) from None
    except BaseException:
        settle(means.server, means.folder, journal, pid)
        raise
    means.at("committed")
    verify(means, journal)
    # First: what a drill that is killed in between has not said, the next one says.
    means.announce(journal, ended)
    done = note_end(means.folder, journal, DONE)
    means.at(DONE)
    return done, ended


def exchange(work: Connection, means: Means, journal: Journal) -> int:
    """Rename both in one transaction of `work`; gives how many sessions were ended."""
    wait_for_transactions(work, journal.live_oid, means.max_wait)
    work.execute("BEGIN READ WRITE")
    # Ours, whatever role and database set: nobody waits at the door for longer than allowed.
    work.execute(
        "SELECT pg_catalog.set_config(name, value, true) FROM (VALUES ('lock_timeout', %s),"
        " ('statement_timeout', %s), ('synchronous_commit', 'on'),"
        " ('idle_in_transaction_session_timeout', '0')) v (name, value)",
        [f"{round(max(means.max_wait, LEAST_WAIT) * 1000)}ms"] * 2,
    )
    with Ending(means.server, work.info.backend_pid, *journal.after) as end:
        if journal.live_oid != NO_DATABASE:
            rename(work, journal.live_oid, journal.name, journal.kept)
            means.at("renamed the live one")
        means.last_check()
        if journal.kind == PROMOTION:
            carry(work, journal.live_oid, journal.incoming_oid)
            means.at("carried over")
        means.keep_roles(work)
        if journal.incoming_oid != NO_DATABASE:
            rename(work, journal.incoming_oid, journal.incoming, journal.name)
            means.at("renamed the restored one")
        if journal.kind == CREATION:
            work.execute(UNMARK.format(sql.Identifier(journal.name)))
        check_names(work, journal)
        means.lock.check()
        advance(means.folder, journal, COMMITTING)
        means.at(COMMITTING)
        work.execute("COMMIT")
    return len(end.ended)


def rename(work: Connection, oid: int, old: str, new: str) -> None:
    """Rename the database `oid`, which must be called `old`."""
    found = names_of(work, oid)
    if found != {oid: old}:
        raise CouldNotRun(
            f"database {old} is not the same one any more",
            checked=[f"pg_database: number {oid} is now {found.get(oid, 'gone')}"],
        )
    statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    work.execute(statement.format(sql.Identifier(old), sql.Identifier(new)))


def check_names(work: Connection, journal: Journal) -> None:
    """CouldNotRun unless both databases have their new names."""
    wanted = journal.after
    found = names_of(work, *wanted)
    if found != wanted:
        raise CouldNotRun("the server used other names than it was asked for", checked=[str(found)])


def verify(means: Means, journal: Journal) -> None:
    """NotSettled unless a new session sees both databases under their new names."""
    try:
        with reconnect(means.server, means.folder, journal) as connection:
            check_names(connection, journal)
    except (psycopg.Error, CouldNotRun) as error:
        raise NotSettled(
            f"{journal.name} and {journal.kept} were swapped, but this could not be verified",
            checked=str(error).splitlines()[:1],
            remedy=remedy_for(
                "promote",
                "not_settled",
                name=journal.name,
                kept=journal.kept,
                way_back=way_back_command(journal.name, means.folder),
            ),
        ) from None

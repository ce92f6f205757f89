"""Sessions of others in a live database that is shut: ended, or named where they cannot be."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Self

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_duration
from restore_drill.facts.session import Connection
from restore_drill.live.server.sessions import (
    SHOWN,
    Session,
    lines_of,
    not_endable,
    sessions_on,
    wait_for_transactions,
)
from restore_drill.servers.model import NAME, Target

PAUSE, AGAIN = 0.05, 0.5
"""Seconds between two looks, and before a server that does not answer is asked again."""
PATIENCE = 5.0
"""Seconds that ended sessions have to go."""


def foreign_on(connection: Connection, oid: int) -> list[Session]:
    """Sessions in the database `oid` that are none of a drill's."""
    return [each for each in sessions_on(connection, oid) if each.application != NAME]


def clear(
    connection: Connection, target: Target, oid: int, max_wait: float, own: int, *, is_left: bool
) -> list[str]:
    """End all sessions of others in the shut database `oid`; a line on each.

    `own` is the process that holds the drill's lock. Transactions that are open are waited for,
    `max_wait` seconds at most. With `is_left` a drill that was killed has left the database: what
    has a drill's name is its own, and ended at once. CouldNotRun names what is still open then,
    and sessions that this role may not end.
    """

    def others() -> list[Session]:
        return [each for each in sessions_on(connection, oid) if each.pid != own]

    if is_left:
        end(connection, [each for each in others() if each.application == NAME])
    lasting = wait_for_transactions(connection, oid, max_wait)
    found = others()
    if kept := not_endable(found):
        raise refusal(target, kept, "that this role may not end")
    if kept := [each for each in found if (each.pid, each.since) in lasting]:
        after = f"with a transaction open for longer than {show_duration(max_wait)}"
        raise refusal(target, kept, after, is_waited_for=True)
    end(connection, found)
    deadline = time.monotonic() + PATIENCE
    known = {each.pid for each in found}
    while left := [each for each in others() if each.pid in known]:
        if time.monotonic() > deadline:
            raise refusal(target, left, "that do not end")
        time.sleep(PAUSE)
    return lines_of(found)


def end(connection: Connection, sessions: Sequence[Session]) -> None:
    """End those of `sessions` that this role may end."""
    for each in sessions:
        if each.may_be_ended:
            connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [each.pid])


def refusal(
    target: Target, kept: list[Session], which: str, *, is_waited_for: bool = False
) -> CouldNotRun:
    """The error that sessions of others could go on writing."""
    count = show_count(len(kept), "session")
    return CouldNotRun(
        f"{target.description} was not touched: it has {count} {which}",
        checked=lines_of(kept),
        remedy=remedy_for(
            "in_place", "in_use" if is_waited_for else "not_endable", pid=str(kept[0].pid)
        ),
    )


class Watch:
    """Ends who comes into the shut database `oid` nevertheless, and notes it in `seen`.

    As a context; `server` is a way to the server that needs no session in that database.
    """

    def __init__(self, server: Target, oid: int) -> None:
        """Watch nothing yet."""
        self.server, self.oid = server, oid
        self.is_over = Event()
        self.seen: dict[int, str] = {}
        self.nameless: set[int] = set()

    def __enter__(self) -> Self:
        """Begin."""
        self.is_over.clear()
        self.thread = Thread(target=self.run, name="keeps others out", daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.is_over.set()
        self.thread.join()

    @property
    def lines(self) -> list[str]:
        """A line on who came in, and how often; a few at most."""
        found = Counter(line.partition(": ")[2] for line in list(self.seen.values()))
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        return [f"{who} ({count} times)" for who, count in found.most_common(SHOWN)] + more

    def refuse_who_came(self, target: Target) -> None:
        """CouldNotRun where somebody has come into `target` since it was shut.

        Such a session is read-only unless it asks for the contrary, which nobody can see.
        """
        if self.seen:
            count = show_count(len(self.seen), "session")
            raise CouldNotRun(
                f"{target.description} was not touched: {count} of others connected while "
                "it was shut, and would do so again between reset and verdict",
                checked=self.lines,
                remedy=remedy_for("in_place", "came_in"),
            )

    def run(self) -> None:
        """Look, also after the server was away."""
        while not self.is_over.is_set():
            with suppress(psycopg.Error), self.server.connect(connect_timeout="5") as connection:
                while not self.is_over.wait(PAUSE):
                    self.look(connection)
            self.is_over.wait(AGAIN)

    def look(self, connection: Connection) -> None:
        """End who is there; a session without a name when it has none at the next look either.

        The server shows a session, and a parallel worker, a moment before it shows its name: one
        of the drill's own was ended for a stranger.
        """
        foreign = foreign_on(connection, self.oid)
        found = [each for each in foreign if each.application or each.pid in self.nameless]
        self.nameless = {each.pid for each in foreign if not each.application}
        self.seen |= {each.pid: each.line for each in found}
        end(connection, found)

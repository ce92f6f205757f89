"""A session that outlives crashes of its server: the question that causes one gets an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import psycopg

from restore_drill.facts.physical.guard import CRASHED, Crash, Guard
from restore_drill.facts.session import Connection

NOT_YET = "the database system is "
"""What the server says while it comes back from a crash: in recovery mode, or starting up."""
LOST, OFTEN = "closed the connection unexpectedly", 3
"""What libpq says of a crash; so often it is another session's."""
AT_DOOR = "the server crashes when a session is opened"

Command = tuple[Any, tuple[Any, ...]]


class Surviving:
    """A psycopg connection in all that readers of facts ask of one, opened anew where it is lost.

    What a transaction has done is done again in the new session before the question is repeated.
    """

    def __init__(self, opened: Callable[[], Connection], guard: Guard) -> None:
        """Open the first session by `opened`, which makes every further one too."""
        self.opened = opened
        self.guard = guard
        self.depth = 0
        self.done: list[Command] = []
        self.is_stopped = False
        self.lost = 0
        self.connection: Any = None
        try:
            self.connection = opened()
        except psycopg.OperationalError as error:
            if NOT_YET not in str(error) and LOST not in str(error):
                raise
            guard.await_server(self.reopened)

    def __getattr__(self, name: str) -> Any:
        """All else is the present session's."""
        return getattr(self.connection, name)

    @property
    def broken(self) -> bool:
        """Whether nothing more can be asked."""
        return self.is_stopped or self.guard.is_away

    def cancel_safe(self, **options: Any) -> None:
        """End what is asked: nobody waits for it, and no session is opened any more."""
        self.is_stopped = True
        self.connection.cancel_safe(**options)

    def execute(self, query: Any, *parameters: Any) -> psycopg.Cursor[tuple[Any, ...]]:
        """Ask; Crash where that crashes the server, also when it is asked alone."""
        self.guard.refuse()
        command = (query, parameters)
        try:
            with self.guard.together():
                return self.noted(command)
        except psycopg.Error:
            if self.is_stopped or not self.connection.broken:
                raise
        with self.guard.alone():
            return self.repeat(command)

    def noted(self, command: Command) -> psycopg.Cursor[tuple[Any, ...]]:
        """Ask, and remember it while a transaction lasts."""
        query, parameters = command
        found: psycopg.Cursor[tuple[Any, ...]] = self.connection.execute(query, *parameters)
        if self.depth:
            self.done.append(command)
        return found

    def repeat(self, command: Command) -> psycopg.Cursor[tuple[Any, ...]]:
        """Ask once more in a new session, behind what its transaction has done."""
        self.guard.await_server(self.reopened)
        try:
            for query, parameters in self.done:
                self.connection.execute(query, *parameters)
            return self.noted(command)
        except psycopg.Error:
            if self.is_stopped or not self.connection.broken:
                raise
        self.guard.crashes += 1
        raise Crash(CRASHED)

    def reopened(self) -> bool:
        """Whether a new session could be opened."""
        if self.is_stopped:
            raise Crash(CRASHED)
        if self.connection is not None:
            self.connection.close()
        try:
            self.connection = self.opened()
        except psycopg.Error as error:
            self.lost += LOST in str(error)
            if self.lost < OFTEN:
                return False
            self.guard.crashes += 1
            raise Crash(AT_DOOR) from None
        self.lost = 0
        return True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Transaction around what is inside, or a savepoint within one."""
        name = f"s{self.depth}"
        begin, end, back = (
            (f"SAVEPOINT {name}", f"RELEASE {name}", f"ROLLBACK TO {name}")
            if self.depth
            else ("BEGIN", "COMMIT", "ROLLBACK")
        )
        self.depth += 1
        try:
            self.execute(begin.encode())
            yield
            self.execute(end.encode())
        except BaseException:
            with suppress(psycopg.Error):
                self.execute(back.encode())
            raise
        finally:
            self.depth -= 1
            if not self.depth:
                self.done.clear()


def surviving(opened: Callable[[], Connection], guard: Guard) -> Connection:
    """Session opened by `opened` that outlives crashes of its server."""
    return cast("Connection", Surviving(opened, guard))

"""An application at work: sessions that insert and update, and what the server acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.force.server import LiveServer

PAUSE = 0.01
"""Seconds between two writes of one session."""
LONGEST = 15
"""Seconds that the application waits for a statement: then it gives up, and goes on."""


@dataclass
class Written:
    """What one session has sent, and what of it the server has acknowledged."""

    sent: set[tuple[int, int]] = field(default_factory=set)
    inserted: set[tuple[int, int]] = field(default_factory=set)
    updated: set[tuple[int, int]] = field(default_factory=set)


class Application:
    """Sessions of the role `app` that write to one database, and reconnect by themselves."""

    def __init__(self, server: LiveServer, database: str, sessions: int = 2) -> None:
        """Start to write."""
        self.server, self.database = server, database
        self.is_over, self.may_write = threading.Event(), threading.Event()
        self.may_write.set()
        self.written = [Written() for _ in range(sessions)]
        self.threads = [
            threading.Thread(target=self.write, args=(number, each), daemon=True)
            for number, each in enumerate(self.written, start=1)
        ]
        for thread in self.threads:
            thread.start()

    def write(self, writer: int, written: Written) -> None:
        """Insert and update until the end; each number is sent once, whatever becomes of it."""
        connection: psycopg.Connection[Any] | None = None
        number = 0
        while not self.is_over.wait(PAUSE):
            if not self.may_write.is_set():
                if connection is not None:
                    connection.close()
                self.may_write.wait()
                connection = None
            try:
                if connection is None or connection.closed:
                    connection = self.server.connect(
                        self.database,
                        user="app",
                        application_name="shop",
                        options=f"-c statement_timeout={LONGEST}s",
                    )
                number += 1
                entry = (writer, number)
                written.sent.add(entry)
                note = f"order {writer} {number}"
                connection.execute("INSERT INTO orders VALUES (%s, %s, %s)", [*entry, note])
                written.inserted.add(entry)
                done = connection.execute(
                    "UPDATE ledger SET entries = entries || %s::int WHERE writer = %s",
                    [number, writer],
                )
                if done.rowcount == 1:
                    written.updated.add(entry)
            except psycopg.Error:
                with suppress(AttributeError, psycopg.Error):
                    connection.close()  # type: ignore[union-attr]
                connection = None
        if connection is not None:
            connection.close()

    @property
    def count(self) -> int:
        """Acknowledged writes so far."""
        return sum(len(each.inserted) + len(each.updated) for each in self.written)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No session of it on the server meanwhile: it was stopped, as the drill asks for."""
        self.may_write.clear()
        time.sleep(PAUSE * 5)
        try:
            yield
        finally:
            self.may_write.set()

    def stop(self) -> None:
        """Write no more, and wait for what is under way."""
        self.is_over.set()
        for thread in self.threads:
            thread.join(LONGEST * 2)


@dataclass(frozen=True)
class Found:
    """What of the application's writes one database holds; `damaged` counts rows that differ."""

    inserted: set[tuple[int, int]]
    updated: set[tuple[int, int]]
    damaged: int


def found_in(server: LiveServer, database: str) -> Found:
    """Read what `database` holds of the application's writes; one half restored may hold none."""
    with server.connect(database) as connection:
        there = "SELECT to_regclass('orders') IS NOT NULL AND to_regclass('ledger') IS NOT NULL"
        if connection.execute(there).fetchone() != (True,):
            return Found(set(), set(), 0)
        orders = connection.execute("SELECT writer, seq, note FROM orders").fetchall()
        entries = connection.execute("SELECT writer, unnest(entries) FROM ledger").fetchall()
    return Found(
        {(writer, number) for writer, number, _ in orders if writer},
        set(entries),
        sum(note != f"order {writer} {number}" for writer, number, note in orders)
        + len(entries) - len(set(entries)),
    )  # fmt: skip


def losses(application: Application, *databases: Found) -> list[str]:
    """What was acknowledged and is in none of `databases`, and what nobody has sent."""
    lines = []
    for name in ("inserted", "updated"):
        there: set[tuple[int, int]] = set().union(*(getattr(each, name) for each in databases))
        wanted: set[tuple[int, int]] = set().union(
            *(getattr(each, name) for each in application.written)
        )
        sent: set[tuple[int, int]] = set().union(*(each.sent for each in application.written))
        if lost := wanted - there:
            lines.append(f"{len(lost)} of {len(wanted)} acknowledged writes ({name}) are lost")
        if strange := there - sent:
            lines.append(f"{len(strange)} rows ({name}) that nobody has sent")
    if damaged := sum(each.damaged for each in databases):
        lines.append(f"{damaged} rows of the application are damaged")
    return lines

"""Connections that do planned jobs side by side: each takes any job, or those it is given."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Protocol

import psycopg

from restore_drill.facts.session import Connection

if TYPE_CHECKING:
    from restore_drill.facts.jobs import Job


class Workers(Protocol):
    """Connections that do jobs; `tasks` of theirs run at the same time, each in a thread."""

    @property
    def connections(self) -> Sequence[Connection]:
        """All of them."""

    def tasks(self, jobs: Sequence[Job]) -> list[Callable[[], None]]:
        """What is to be run for all `jobs`, the first one first."""

    def stop(self) -> None:
        """Let no further job begin."""


class Pool:
    """Connections of which each does any job."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        """All of them are free, and closed with the pool."""
        self.connections: Sequence[Connection] = connections
        self.free: SimpleQueue[Connection] = SimpleQueue()
        self.helped: dict[Connection, bool] = {}
        for connection in connections:
            self.free.put(connection)

    def close(self) -> None:
        """Close the connections."""
        close(self.connections)

    def tasks(self, jobs: Sequence[Job]) -> list[Callable[[], None]]:
        """Each of `jobs` by itself."""
        return [lambda job=job: self.run(job) for job in jobs]  # type: ignore[misc]

    def stop(self) -> None:
        """Nothing to do: what has not begun is cancelled."""

    def run(self, job: Job) -> None:
        """Do `job` on a connection that no other job uses meanwhile.

        Where it is helped, the server may read for it with parallel workers.
        """
        connection = self.free.get()
        try:
            if self.helped.get(connection) != job.helped:
                workers = "DEFAULT" if job.helped else "0"
                connection.execute(f"SET max_parallel_workers_per_gather = {workers}".encode())
                self.helped[connection] = job.helped
            job.run(connection)
        finally:
            self.free.put(connection)


class Shares:
    """Connections of which each does its own share of the jobs, one after the other."""

    def __init__(self, shares: Sequence[tuple[Connection, Sequence[Job]]]) -> None:
        """Each connection with its share."""
        self.shares = shares
        self.connections: Sequence[Connection] = [connection for connection, _ in shares]
        self.stopped = Event()

    def tasks(self, jobs: Sequence[Job]) -> list[Callable[[], None]]:
        """Each share by itself; they hold all `jobs`."""
        assert sum(len(share) for _, share in self.shares) == len(jobs)
        return [lambda each=each: self.run(*each) for each in self.shares]  # type: ignore[misc]

    def stop(self) -> None:
        """Let no further job begin."""
        self.stopped.set()

    def run(self, connection: Connection, share: Sequence[Job]) -> None:
        """Do the jobs of one share."""
        for job in share:
            if self.stopped.is_set():
                break
            job.run(connection)


def close(connections: Sequence[Connection]) -> None:
    """Close `connections`."""
    for connection in connections:
        connection.close()


def cancel(connections: Sequence[Connection]) -> None:
    """Cancel what runs on `connections`, in other threads."""
    for connection in connections:
        with suppress(psycopg.Error):
            connection.cancel_safe(timeout=1)


def abandon(connections: Sequence[Connection]) -> None:
    """Let those who wait on `connections`, in other threads, find them lost."""
    for connection in connections:
        with (
            suppress(psycopg.Error, OSError),
            socket.socket(fileno=os.dup(connection.fileno())) as end,
        ):
            end.shutdown(socket.SHUT_RDWR)

"""A connection of libpq on which no wait is blind: each can be interrupted, from any thread.

libpq's own PQexec and PQputCopyData wait in C, where no signal reaches Python.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import capabilities, generators, waiting
from psycopg.abc import PQGenConn
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from restore_drill.core.deadline import Describe, at_work

SLICE = 0.2
"""Seconds between two looks at whether the work was given up."""
SEND_BUFFER = 4_000_000
"""Bytes of rows that wait for the server in the kernel: with the default of 200 kB the restore of
240 MB took 2 and 4 % longer (medians of 4 and of 3 alternated pairs). The system may give less."""
CANCEL_SECONDS = 3.0
"""Seconds for the server to end a statement that was cancelled."""
CANCEL_WAIT = 1.0
"""Seconds for the server to take the request to cancel: a listener may never answer."""
COPYING = (ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH)


class GivenUp(Exception):
    """The work was stopped from outside while this connection was at it."""


class Wire:
    """One connection; psycopg.Error where it is lost.

    `describe` names what it is at, for a limit that ends it. Setting `stop` makes it raise GivenUp.
    """

    def __init__(
        self, conninfo: str, describe: Describe, stop: threading.Event | None = None
    ) -> None:
        """Connect."""
        self.pgconn: PGconn = waiting.wait_conn(generators.connect(conninfo), interval=SLICE)
        self.pgconn.nonblocking = 1
        with suppress(OSError), socket.socket(fileno=os.dup(self.pgconn.socket)) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.describe = describe
        self.is_copying = False
        self.stop = stop or threading.Event()
        self.reading, self.writing = select.poll(), select.poll()
        self.reading.register(self.pgconn.socket, select.POLLIN)
        self.writing.register(self.pgconn.socket, select.POLLIN | select.POLLOUT)

    def exec_(self, sql: bytes, *, rows: bool = True, alone: bool = False) -> PGresult:
        """Run `sql`, which may be many statements: the last result, that of an error, or a COPY.

        Without `rows` those of a query are thrown away one by one, however many there are.
        The server refuses one that is to be `alone` and is several by its own reading.
        """
        last = None
        try:
            with self.busy():
                if self.is_copying:
                    self.finish_copy(b"another statement came")
                if alone:
                    self.pgconn.send_query_params(sql, None)
                else:
                    self.pgconn.send_query(sql)
                if not rows:
                    self.pgconn.set_single_row_mode()
                self.send()
                while (result := self.result()) is not None:
                    last = result
                    if result.status in COPYING:
                        self.is_copying = result.status == ExecStatus.COPY_IN
                        break
        except psycopg.OperationalError:
            if last is None:
                raise
        assert last is not None
        return last

    def put_copy_data(self, data: bytes) -> None:
        """Send rows of the COPY that runs."""
        self.pgconn.put_copy_data(data)
        if self.pgconn.flush():
            with self.busy():
                self.send()

    def end_copy(self, error: bytes | None = None) -> list[PGresult]:
        """End the COPY that runs, by an `error` of ours if there is one: what came of it."""
        with self.busy():
            return self.finish_copy(error)

    def finish_copy(self, error: bytes | None) -> list[PGresult]:
        """As `end_copy`, within another wait."""
        self.is_copying = False
        self.pgconn.put_copy_end(error)
        self.send()
        return list(iter(self.result, None))

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let a limit name what runs inside, and cancel it where anything but its error ends it."""
        with at_work(self.describe):
            try:
                yield
            except psycopg.Error:
                raise
            except BaseException:
                self.interrupt()
                raise

    def drain(self) -> None:
        """Throw away what a COPY TO writes."""
        with self.busy():
            while (size := self.pgconn.get_copy_data(1)[0]) >= 0:
                if not size:
                    self.pause(self.reading)
            while self.result() is not None:
                pass

    def send(self) -> None:
        """Wait until all has been sent."""
        self.until(lambda: self.pgconn.flush() == 0, self.writing)

    def result(self) -> PGresult | None:
        """Next result; None when there is no more."""
        self.until(lambda: not self.pgconn.is_busy(), self.reading)
        return self.pgconn.get_result()

    def until(self, ready: Callable[[], bool], poll: select.poll) -> None:
        """Wait for the server until `ready`."""
        while not ready():
            self.pause(poll)

    def pause(self, poll: select.poll) -> None:
        """Take in what the server sends within a moment; GivenUp where all was stopped."""
        if self.stop.is_set():
            raise GivenUp
        if poll.poll(SLICE * 1000):
            self.pgconn.consume_input()

    def interrupt(self) -> None:
        """Cancel what runs, and wait a moment for its end, so that its locks are given back."""
        self.cancel()
        until = time.monotonic() + CANCEL_SECONDS
        with suppress(psycopg.Error):
            while self.pgconn.is_busy() and time.monotonic() < until and not self.stop.is_set():
                if self.reading.poll(SLICE * 1000):
                    self.pgconn.consume_input()

    def cancel(self) -> None:
        """Cancel the statement that runs, from any thread; within CANCEL_WAIT, or not at all."""
        with suppress(psycopg.Error):
            if not capabilities.has_cancel_safe():
                # psycopg[binary] brings libpq 17 or newer. An older one waits in C, and keeps all
                # threads waiting: psycopg holds the interpreter's lock meanwhile.
                self.pgconn.get_cancel().cancel()
                return
            request = self.pgconn.cancel_conn()
            request.start()
            waiting.wait_conn(within(CANCEL_WAIT, generators.cancel(request)), interval=SLICE)

    def close(self) -> None:
        """Close it."""
        self.pgconn.finish()


def within(seconds: float, attempt: PQGenConn[None]) -> PQGenConn[None]:
    """`attempt`, given up after so many seconds: `wait_conn` of psycopg 3.3.4 knows no limit."""
    until = time.monotonic() + seconds
    with suppress(StopIteration):
        wanted = next(attempt)
        while time.monotonic() < until:
            wanted = attempt.send((yield wanted))

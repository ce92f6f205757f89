"""Two databases swap their names: whole or not at all, whatever is in the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.live.promote.journal import DONE, UNDONE, Journal, journal_path, read_journal
from restore_drill.live.promote.not_swapped import NotSwapped
from restore_drill.live.promote.settle import NotSettled, settle
from restore_drill.live.promote.swap import kept_name, swap
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.embedded import EmbeddedServer
from tests.helpers.shop import majors
from tests.helpers.swaps import Pair, connect, started, swap_and_kill

Application = Callable[..., psycopg.Connection[Any]]

MOMENTS = [
    ("prepared", UNDONE),
    ("renamed the live one", UNDONE),
    ("carried over", UNDONE),
    ("renamed the restored one", UNDONE),
    ("committing", UNDONE),
    ("committed", DONE),
    ("done", DONE),
]
"""Each moment of a swap, and how one that is killed there ends."""


@pytest.fixture(scope="module", params=majors(14, 18))
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A live server of each of these majors; the other tests of `live` have one of 15."""
    with started(request.param) as server:
        yield server


@pytest.fixture
def application() -> Iterator[Application]:
    """Function that connects as the application does; its sessions are closed at the end."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(closing(connect(*given, **named)))


def journal_in(folder: Path, pair: Pair) -> Journal:
    """The journal that a swap has left."""
    return read_journal(journal_path(folder, pair.journal))


def test_the_live_name_goes_to_the_restored_database(
    pair: Pair, application: Application, tmp_path: Path
) -> None:
    """Those who were connected are ended, the old database stays whole beside it."""
    idle = application(pair.live)
    writing = application(pair.live)
    writing.execute("BEGIN")
    writing.execute("INSERT INTO content VALUES ('uncommitted')")

    announced = []

    def announce(journal: Journal, ended: int) -> None:
        announced.append((journal.kept, ended, journal_in(tmp_path, pair).is_open))

    with NameLock(pair.server, pair.journal.name) as lock:
        means = pair.means(tmp_path, lock, max_wait=0.2, announce=announce)
        done, ended = swap(means, pair.journal)

    # Reported while the journal is open: the next run does it where this one is killed before.
    assert announced == [(pair.journal.kept, 2, True)]
    assert (done.step, ended) == (DONE, 2)
    assert journal_in(tmp_path, pair) == done
    assert pair.holds(pair.journal.name) == "new"
    assert pair.holds(pair.journal.kept) == "old"
    assert pair.journal.incoming not in pair.names()
    for each in (idle, writing):
        with pytest.raises(psycopg.OperationalError):
            each.execute("SELECT 1")


def test_a_transaction_that_ends_in_time_is_waited_for(
    pair: Pair, application: Application, tmp_path: Path
) -> None:
    """Its commit is in the old database."""
    writing = application(pair.live)
    writing.execute("BEGIN")
    writing.execute("UPDATE content SET what = 'late'")

    def commit() -> None:
        time.sleep(0.5)
        writing.execute("COMMIT")

    thread = Thread(target=commit)
    thread.start()
    with NameLock(pair.server, pair.journal.name) as lock:
        done, _ = swap(pair.means(tmp_path, lock, max_wait=20), pair.journal)
    thread.join()

    assert done.step == DONE
    assert pair.holds(pair.journal.kept) == "late"


def test_nobody_gets_into_the_old_database_by_the_live_name(
    pair: Pair, application: Application, tmp_path: Path
) -> None:
    """Whoever connects meanwhile, a superuser too, waits, and is in the new one or refused."""
    found: list[str] = []

    def come(moment: str) -> None:
        if moment != "renamed the live one":
            return

        def run() -> None:
            try:
                application(pair.live)
                found.append("let in")
            except psycopg.OperationalError as error:
                found.append("refused" if "does not exist" in str(error) else str(error))

        thread = Thread(target=run)
        thread.start()
        threads.append(thread)
        time.sleep(0.3)
        assert found == []

    threads: list[Thread] = []
    with NameLock(pair.server, pair.journal.name) as lock:
        swap(pair.means(tmp_path, lock, at=come), pair.journal)
    for each in threads:
        each.join()
    assert found == ["refused"]
    assert application(pair.live).execute("SELECT what FROM content").fetchone() == ("new",)


@pytest.mark.parametrize(("moment", "end"), MOMENTS)
def test_killed_at_any_moment_the_live_name_is_that_of_a_whole_database(
    moment: str, end: str, pair: Pair, tmp_path: Path
) -> None:
    """The next run notes by the journal how it ended, and can swap again."""
    killed = swap_and_kill(pair, tmp_path, moment)

    assert killed.returncode == -9, killed.stderr
    assert killed.stdout.splitlines()[-1] == moment
    wait_until_let_go(pair)
    assert pair.holds(pair.journal.name) == ("new" if end == DONE else "old")
    with NameLock(pair.server, pair.journal.name) as lock:
        settled = settle(pair.server, tmp_path, journal_in(tmp_path, pair))
        assert settled.step == end
        assert journal_in(tmp_path, pair).step == end
        if end == UNDONE:
            assert pair.names()[pair.journal.incoming] == pair.journal.incoming_oid
            again, _ = swap(pair.means(tmp_path, lock), pair.journal)
            assert again.step == DONE
    assert pair.holds(pair.journal.name) == "new"
    assert pair.holds(pair.journal.kept) == "old"


def wait_until_let_go(pair: Pair) -> None:
    """Wait until the server has noticed that the killed process is gone."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            NameLock(pair.server, pair.journal.name).connection.close()
        except CouldNotRun:
            time.sleep(0.05)
        else:
            return


def test_a_second_drill_does_not_get_the_lock(pair: Pair, server: EmbeddedServer) -> None:
    """Wherever the first one holds it."""
    with NameLock(server.target("template1"), pair.journal.name) as lock:
        with pytest.raises(CouldNotRun, match="another drill is at work on database"):
            NameLock(pair.server, pair.journal.name)
        lock.check()
    NameLock(pair.server, pair.journal.name).connection.close()


def test_a_lost_lock_stops_it(pair: Pair, tmp_path: Path) -> None:
    """Up to the commit: nothing is renamed."""
    with NameLock(pair.server, pair.journal.name) as lock:

        def end_lock(moment: str) -> None:
            if moment == "renamed the restored one":
                with pair.server.connect() as connection:
                    pid = lock.connection.info.backend_pid
                    connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

        with pytest.raises(NotSwapped, match="was not touched") as caught:
            swap(pair.means(tmp_path, lock, at=end_lock), pair.journal)

    assert "lock on database" in str(caught.value)
    assert pair.names()[pair.journal.name] == pair.journal.live_oid
    assert journal_in(tmp_path, pair).step == UNDONE
    assert pair.holds(pair.journal.name) == "old"


def test_a_lost_connection_before_the_commit_leaves_all_as_it_was(
    pair: Pair, tmp_path: Path
) -> None:
    """The server knows how it ended, not the session."""

    def end_work(moment: str) -> None:
        if moment == "committing":
            with pair.server.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE"
                    " locktype = 'object' AND mode = 'AccessExclusiveLock' AND objid = %s",
                    [pair.journal.live_oid],
                )

    with NameLock(pair.server, pair.journal.name) as lock, pytest.raises(NotSwapped):
        swap(pair.means(tmp_path, lock, at=end_work), pair.journal)

    assert pair.holds(pair.journal.name) == "old"
    assert journal_in(tmp_path, pair).step == UNDONE


def test_what_holds_the_database_is_named(
    pair: Pair, application: Application, tmp_path: Path
) -> None:
    """A session that another role may not end: after the wait all is as it was."""
    with pair.server.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS keeper")
        connection.execute("CREATE ROLE keeper LOGIN CREATEDB")
        for name in (pair.journal.name, pair.journal.incoming):
            connection.execute(f'ALTER DATABASE "{name}" OWNER TO keeper'.encode())
    session = application(pair.live, name="till")
    server = pair.server_as("keeper")
    theirs = replace(pair, server=server)
    try:
        with NameLock(server, pair.journal.name) as lock, pytest.raises(NotSwapped) as caught:
            swap(theirs.means(tmp_path, lock, max_wait=0.1), pair.journal)
        assert f'pid {session.info.backend_pid}: user postgres, "till"' in str(caught.value)
        assert "--max-lock-wait" in str(caught.value)
        assert session.execute("SELECT what FROM content").fetchone() == ("old",)
        session.close()
        with NameLock(server, pair.journal.name) as lock:
            assert swap(theirs.means(tmp_path, lock), pair.journal)[0].step == DONE
    finally:
        with pair.server.connect() as connection:
            for name in (pair.journal.name, pair.journal.kept):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}"'.encode())
            connection.execute("DROP ROLE keeper")


def test_names_that_no_swap_leaves_are_left_alone(pair: Pair, tmp_path: Path) -> None:
    """The live name is given back where it is free; else nothing is done, and all is named."""
    journal = pair.journal
    with pair.server.connect() as connection:
        connection.execute(f'ALTER DATABASE "{journal.name}" RENAME TO "{journal.kept}"'.encode())
        assert settle(pair.server, tmp_path, journal).step == UNDONE
        assert pair.holds(journal.name) == "old"

        connection.execute(f'ALTER DATABASE "{journal.name}" RENAME TO "{journal.kept}"'.encode())
        connection.execute(f'CREATE DATABASE "{journal.name}"'.encode())
        before = pair.names()
        with pytest.raises(NotSettled, match="it is not known whether") as caught:
            settle(pair.server, tmp_path, journal)
    assert f"number {journal.live_oid} is {journal.kept}" in str(caught.value)
    assert pair.names() == before


def test_the_kept_name_fits_whatever_the_live_one_is() -> None:
    """The server cuts names at 63 bytes: ours keeps its end."""
    when = time.gmtime(1_795_842_000)

    assert kept_name("shop", "before", when) == "shop_before_20261128_050000"
    long = kept_name("ü" * 31, "before", when)
    assert long == "ü" * 20 + "_before_20261128_050000"
    assert len(long.encode()) == 63


def test_every_acknowledged_write_is_in_one_of_the_two(
    pair: Pair, application: Application, tmp_path: Path
) -> None:
    """An application that writes all the time, and connects again whenever it is ended."""
    for target in (pair.live, pair.incoming):
        with target.connect() as connection:
            connection.execute("CREATE TABLE written (n int PRIMARY KEY)")
    written: list[int] = []
    stop = Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            try:
                with application(pair.live) as connection:
                    while not stop.is_set():
                        n += 1
                        connection.execute("INSERT INTO written VALUES (%s)", [n])
                        written.append(n)
            except psycopg.OperationalError:
                stop.wait(0.001)

    thread = Thread(target=write)
    thread.start()
    try:
        with NameLock(pair.server, pair.journal.name) as lock:
            swap(pair.means(tmp_path, lock, max_wait=0.3), pair.journal)
        so_far = len(written)
        deadline = time.monotonic() + 10
        while len(written) < so_far + 20 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        stop.set()
        thread.join()

    found = []
    for name in (pair.journal.kept, pair.journal.name):
        with pair.live.connect(dbname=name) as connection:
            found.append({n for (n,) in connection.execute("SELECT n FROM written").fetchall()})
    assert set(written) <= found[0] | found[1]
    assert found[0] and found[1] and max(found[0]) < min(found[1])

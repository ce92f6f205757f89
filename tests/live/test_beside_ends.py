"""However a drill beside the live database ends: at most its own database stays."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.facts.session import Connection
from restore_drill.live.beside.database import create, database_beside
from restore_drill.live.server.drill_databases import find, lock_key, mark_of, new_name
from restore_drill.servers.model import Target
from tests.helpers.drills import Drill
from tests.helpers.live import clean_by_command, databases, start_and_wait
from tests.helpers.shop import quiet


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_drill_drops_its_database(
    number: signal.Signals, live: Target, backups: Path, report_dir: Path
) -> None:
    """A signal in the middle of a query ends the drill, and its database goes."""
    had = databases(live)
    process = start_and_wait(live, backups, report_dir)
    assert len(databases(live)) == len(had) + 1

    process.send_signal(number)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert databases(live) == had


@pytest.mark.parametrize("way", ["drill", "clean"])
def test_killed_drill_leaves_one_marked_database_that_the_next_drops(
    way: str,
    live: Target,
    backups: Path,
    report_dir: Path,
    drill_beside: Callable[..., Drill],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it runs a second one is refused; after a kill its database goes, with its sessions."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # drills of other tests would clean up after it
    had = databases(live)
    process = start_and_wait(live, backups, report_dir)
    (made,) = databases(live).keys() - had.keys()
    assert databases(live)[made] == mark_of(made)
    if way == "drill":
        second = drill_beside()
        assert second.code == 6, second.output
        assert "another drill is at work" in second.output
        assert made in second.output and "DROP" not in second.output
    else:
        assert made not in clean_by_command(live)
    assert made in databases(live)

    process.kill()
    process.communicate()

    if way == "drill":
        after = drill_beside()
        assert after.code == 0, after.output
        output = after.output
    else:
        output = clean_by_command(live)
    assert f"ropped the database {made}, which a killed drill left" in output
    assert f"cleaned up after a run that died (process {process.pid}, started " in output
    assert databases(live) == had


def test_what_is_no_left_over_stays(live: Target) -> None:
    """Name, mark and a free lock: where one of them is missing, nothing is dropped."""
    name = live.conninfo["dbname"]
    held, unmarked, renamed = new_name(name), new_name(name), new_name(name)
    with live.connect(dbname="postgres") as connection, live.connect() as other:
        for each in (held, unmarked, renamed):
            create(connection, live, each)
        connection.execute(f'COMMENT ON DATABASE "{unmarked}" IS NULL'.encode())
        connection.execute(f'ALTER DATABASE "{renamed}" RENAME TO "{name}_kept"'.encode())
        # The lock counts whichever database it is held in.
        other.execute("SELECT pg_advisory_lock(%s)", [lock_key(held)])
        before = databases(live)

        output = clean_by_command(live)

        assert databases(live) == before
        assert f"{unmarked} bears no mark of a drill and was not touched" in output
        other.execute("SELECT pg_advisory_unlock_all()")
        assert held in clean_by_command(live)
        assert before.keys() - databases(live).keys() == {held}
        for each in (unmarked, f"{name}_kept"):
            connection.execute(f'DROP DATABASE "{each}"'.encode())


def test_lost_session_that_holds_the_lock(live: Target) -> None:
    """Where the server has ended it, the database is dropped all the same."""
    had = databases(live)
    left: list[str] = []
    with database_beside(live, left.append) as made, live.connect() as connection:
        (each,) = find(connection, live).beside
        assert (each.name, each.is_left_over) == (made.conninfo["dbname"], False)
        connection.execute("SELECT pg_terminate_backend(%s)", [each.holder])
    assert databases(live) == had
    assert left == []


def test_interrupt_while_the_database_is_being_made(
    live: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the lock of the session that makes it, nothing is left."""
    had = databases(live)

    def interrupted(*arguments: object) -> None:
        create(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr("restore_drill.live.beside.database.create", interrupted)
    with pytest.raises(KeyboardInterrupt), database_beside(live, quiet):
        pytest.fail("it was made")
    assert databases(live) == had


def test_a_session_that_is_ended_while_it_makes_the_database(
    live: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left, and the advice is not to reset the live database instead."""
    had = databases(live)

    def ended(connection: Connection, *rest: object) -> None:
        with live.connect() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        create(connection, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("restore_drill.live.beside.database.create", ended)
    with (
        pytest.raises(CouldNotRun, match="no second database could be made") as caught,
        database_beside(live, quiet),
    ):
        pytest.fail("it was made")
    assert "in the server's log" in str(caught.value) and "--in-place" not in str(caught.value)
    assert databases(live) == had

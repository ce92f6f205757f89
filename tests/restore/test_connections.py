"""Connections of the split restore: lost, interrupted, and out of each other's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.backups.model import Contents, Head
from restore_drill.backups.read import read_contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.restore.model import Restoration
from restore_drill.restore.pool import Pool
from restore_drill.restore.session import Session
from restore_drill.restore.split import may_split, restore_split
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import Shops, quiet

DIE = b"""--
-- Name: die(text); Type: FUNCTION; Schema: public; Owner: postgres
--
CREATE FUNCTION public.die(text) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT pg_terminate_backend(pg_backend_pid())::text';
SET default_tablespace"""


def test_lost_connection_stops_the_restore(shops: Shops, tmp_path: Path) -> None:
    """When the server ends a connection, that is no fault of the backup."""
    path = tmp_path / "deadly.sql"
    dump = shops.dump(18, "plain.sql").read_bytes().replace(b"SET default_tablespace", DIE, 1)
    path.write_bytes(dump.replace(b"(lower(title)", b"(public.die(title)"))
    backup = backup_of(path)
    contents = read_contents(backup, tmp_path, quiet)
    target = new_database(shops, 18, None, "UTF8")

    with pytest.raises(CouldNotRun, match="connection to the server was lost"):
        restore_split(target, backup, contents, jobs=2, progress=quiet)


def test_interrupt_ends_the_connections(shops: Shops, tmp_path: Path) -> None:
    """Ctrl-C in the middle ends every connection of the restore, also those at work."""
    path = tmp_path / "slow.sql"
    dump = shops.dump(18, "plain.sql").read_bytes().replace(b"SET default_tablespace", DIE, 1)
    dump = dump.replace(b"pg_terminate_backend(pg_backend_pid())", b"pg_sleep(60)")
    path.write_bytes(dump.replace(b"(lower(title)", b"(public.die(title)"))
    backup = backup_of(path)
    contents = read_contents(backup, tmp_path, quiet)
    target = new_database(shops, 18, None, "UTF8")

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_split(target, backup, contents, jobs=2, progress=interrupt)
    with target.connect() as connection:
        for _ in range(100):  # a backend that was cancelled takes a moment to be gone
            left = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            ).fetchone()
            if left == (0,):
                break
            time.sleep(0.05)
    assert left == (0,)


def test_tasks_exclude_each_other_on_tables(shops: Shops) -> None:
    """Tasks that need a table alone never overlap with others on it, and heavier ones go first."""
    stop, submitted = threading.Event(), threading.Event()
    restoration = Restoration(new_database(shops, 18, None, "UTF8"), "")
    pool = Pool([Session(restoration.target, restoration, stop) for _ in range(3)], stop)
    together = threading.Barrier(2, timeout=20)
    order: list[str] = []

    def both() -> None:
        together.wait()
        time.sleep(0.2)

    def work(name: str, wait: Callable[[], object]) -> Callable[[Session], None]:
        def run(_: Session) -> None:
            order.append(f"begin {name}")
            wait()
            order.append(f"end {name}")

        return run

    first = pool.submit(work("load", submitted.wait), alone=["t"])
    pool.submit(work("key", lambda: None), alone=["t"], after=[first])
    for name in ("index a", "index b"):
        pool.submit(work(name, both), shared=["t"], after=[first], weight=5)
    submitted.set()
    pool.drain(lambda: None)
    pool.close()

    assert order[:2] == ["begin load", "end load"]
    assert set(order[2:4]) == {"begin index a", "begin index b"}
    assert order[6:] == ["begin key", "end key"]


def test_only_big_dumps_of_copies_are_split(shops: Shops, tmp_path: Path) -> None:
    """Small dumps, many small tables, one job or a live database are not split."""
    path = tmp_path / "any.sql"
    path.write_bytes(b"SELECT 1;")
    target, backup = shops.source(18), backup_of(path)
    big = Contents("", Head(), rows={"public.cards": 9}, read_bytes=20_000_000)
    live = replace(target, throwaway=False)
    many = replace(big, rows={f"public.t{n}": 9 for n in range(1000)})

    assert may_split(target, backup, big, 2)
    assert not may_split(target, backup, big, 1)
    assert not may_split(live, backup, big, 2)
    assert not may_split(target, backup, many, 2)
    assert not may_split(target, backup, replace(big, read_bytes=1_000_000), 2)

"""What can be refused for a drill beside a live database is refused before the backup is read."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from restore_drill.backups.model import Contents, Entry, Head
from restore_drill.core.errors import CouldNotRun
from restore_drill.live.beside.database import database_beside
from restore_drill.live.server.room import PER_ROW, RESERVE, Disks, disks_of, room_for
from restore_drill.live.survey import survey
from restore_drill.restore.single_transaction import (
    LOCKS,
    SHARE,
    has_locks,
    may_use_one_transaction,
)
from restore_drill.restore.transactions import MOST, portion_size
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.database import not_connected, open_database
from restore_drill.servers.find import find_binaries
from restore_drill.servers.launcher import choose_launcher
from restore_drill.servers.lost import explained_when_lost
from restore_drill.servers.model import Target
from tests.helpers.drills import Drill
from tests.helpers.live import databases, url_of
from tests.helpers.shop import Shops, fill_shop, pg_dump, quiet

GIB = 1 << 30
FILL = "CREATE TABLE big AS SELECT n, repeat('x', 900) FROM generate_series(1, 400000) n"


def role(live: Target, name: str, options: str) -> str:
    """A new role with the password pw: what stands before the @ of its URL."""
    with live.connect() as connection:
        connection.execute(f"DROP ROLE IF EXISTS {name}".encode())
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw' {options}".encode())
    return f"{name}:pw"


def as_role(live: Target, name: str) -> Target:
    """`live` by a session of `name`, a role that `role` made."""
    return replace(live, conninfo=live.conninfo | {"user": name, "password": "pw"})


def wait_until_alone(connection: psycopg.Connection[tuple[int]]) -> None:
    """Return when the server counts no session in the database but `connection`."""
    alone = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    until = time.monotonic() + 30
    while connection.execute(alone).fetchall() != [(1,)]:
        assert time.monotonic() < until
        time.sleep(0.02)


def refused(drill: Drill, *words: str) -> None:
    """Assert that `drill` could not run, said all `words`, and has not read the backup whole."""
    assert drill.code == 6, drill.output
    for each in words:
        assert each in drill.output
    assert "Read to its end" not in drill.output
    assert "Traceback" not in drill.output


def test_role_without_createdb(live: Target, drill_beside: Callable[..., Drill]) -> None:
    """It is named, with what gives it the right, and the way that needs none."""
    had = databases(live)
    user = role(live, "plain", "NOCREATEDB")

    drill = drill_beside(DATABASE_URL=url_of(live, user))

    refused(drill, "the role plain may not create a database", 'ALTER ROLE "plain" CREATEDB')
    assert f"--in-place --confirm {live.conninfo['dbname']}" in drill.output
    assert databases(live) == had


def test_owners_and_extensions_of_the_head(
    live: Target, backups: Path, drill_beside: Callable[..., Drill], shops: Shops
) -> None:
    """Roles that are missing or out of reach, and extensions that the server lacks or refuses."""
    had = databases(live)
    user = role(live, "maker", "CREATEDB")
    out_of_reach = drill_beside(DATABASE_URL=url_of(live, user))
    refused(out_of_reach, "its role may not assign objects to", "shop_owner", "GRANT")

    (backups / "db" / "backup.dump").unlink()
    path = pg_dump(shops.source(15), backups / "db" / "later.sql")
    text = path.read_text()
    path.write_text(text.replace("Owner: shop_owner", "Owner: nobody_here"))
    refused(drill_beside(), "the backup needs roles that the server lacks: nobody_here")

    heading = "-- Name: nowhere; Type: EXTENSION; Schema: -; Owner: -\n--\n\n"
    path.write_text(text.replace("-- Name: billing", heading + "--\n-- Name: billing", 1))
    refused(drill_beside(), "does not have: nowhere")
    assert databases(live) == had


def test_a_role_that_is_no_superuser_is_enough(
    live: Target, backups: Path, drill_beside: Callable[..., Drill], shops: Shops
) -> None:
    """One with CREATEDB that is a member of the owners, whatever limits it has."""
    fill_shop(live, "GRANT shop_owner TO app")
    user = role(live, "owner", "CREATEDB IN ROLE shop_owner")
    fill_shop(live, "ALTER ROLE owner SET statement_timeout = '1ms'")
    fill_shop(live, "ALTER ROLE owner SET lock_timeout = '1ms'")
    source = shops.database(15, "owned")
    fill_shop(
        source,
        "CREATE TABLE t AS SELECT n, repeat('x', 1000) FROM generate_series(1, 9000) n;"
        "ALTER TABLE t ADD PRIMARY KEY (n); ALTER TABLE t OWNER TO shop_owner",
    )
    (backups / "db" / "backup.dump").unlink()
    pg_dump(source, backups / "db" / "backup.sql")
    with live.connect() as connection:
        name = psycopg.sql.Identifier(live.conninfo["dbname"])
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} OWNER TO shop_owner").format(name))
    had = databases(live)

    drill = drill_beside("--jobs=2", DATABASE_URL=url_of(live, user))

    assert drill.code == 0, drill.output
    assert "split over 2 connections" in drill.output
    assert "unknown (the drill cannot see the disk of the server); about" in drill.output
    assert databases(live) == had


def test_missing_database_and_no_server(live: Target, drill_beside: Callable[..., Drill]) -> None:
    """Each has words and a remedy of its own."""
    url = url_of(live).rpartition("/")[0]
    missing = drill_beside(DATABASE_URL=f"{url}/nowhere")
    silent = drill_beside(DATABASE_URL="postgresql://app@127.0.0.1:1/shop")

    refused(missing, "there is no database", "correct the name at the end", "--create-database")
    refused(silent, "no connection to the database 127.0.0.1:1/shop", "check that the server is up")


def test_a_password_that_is_not_given_is_not_a_wrong_one() -> None:
    """The first remedy is to set one."""
    error = psycopg.OperationalError("connection failed: fe_sendauth: no password supplied")
    why = str(not_connected({"host": "db", "dbname": "shop"}, error))
    assert "1. set PGPASSWORD, or put a line" in why and "compare it" not in why


def test_connections(live: Target) -> None:
    """A server whose connections are nearly used up."""
    with pytest.raises(CouldNotRun, match="connections are free"):
        list(survey(live, Head(), 0, 10_000))


def test_limits_of_the_role_and_of_the_database(
    live: Target, drill_beside: Callable[..., Drill]
) -> None:
    """They are shared with the application, and a superuser has none."""
    user = role(live, "limited", "CREATEDB IN ROLE shop_owner CONNECTION LIMIT 6")
    had = databases(live)

    of_role = drill_beside("--jobs=2", DATABASE_URL=url_of(live, user))
    with live.connect() as connection:
        name = psycopg.sql.Identifier(live.conninfo["dbname"])
        connection.execute("ALTER ROLE limited CONNECTION LIMIT -1")
        limit = psycopg.sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
        connection.execute(limit.format(name, 2))
        wait_until_alone(connection)
        # Not a whole drill: a session that it has ended may be counted when it opens the next.
        with pytest.raises(CouldNotRun) as of_database:
            list(survey(as_role(live, "limited"), Head(), 0, 1))
        connection.execute(limit.format(name, 1))
        used_up = drill_beside("--jobs=2", DATABASE_URL=url_of(live, user))

    refused(of_role, "the connection limit of the role limited leaves 5", "takes up to 6")
    assert 'ALTER ROLE "limited" CONNECTION LIMIT' in of_role.output
    why = str(of_database.value)
    assert "its connection limit leaves none for the drill" in why
    assert f'ALTER DATABASE "{live.conninfo["dbname"]}" CONNECTION LIMIT' in why
    refused(used_up, "too many connections for database", "raise the limit that the server names")
    assert "pg_hba.conf" not in used_up.output
    assert list(survey(live, Head(), 0, 1))  # as a superuser
    assert databases(live) == had


def test_a_large_dump_is_not_restored_in_one_transaction(live: Target) -> None:
    """A server that is not ours keeps most of its locks for the application."""
    entries = tuple(Entry("TABLE", "public", f"t{n}", "x") for n in range(12_000))
    foreign = open_database(url_of_socket(live), lambda _: live.binaries)
    beside = Target(
        "database", foreign.conninfo, foreign.server_version, live.binaries,
        throwaway=False, beside="shop",
    )  # fmt: skip
    assert has_locks(beside, 300)
    assert may_use_one_transaction(beside, Contents("", Head(), entries[:300]))
    assert not may_use_one_transaction(beside, Contents("", Head(), entries))
    assert may_use_one_transaction(live, Contents("", Head(), entries))
    assert not may_use_one_transaction(foreign, Contents("", Head(), entries[:300]))
    with live.connect() as connection:
        (locks,) = connection.execute(LOCKS.encode()).fetchone() or (0,)
    assert portion_size(live, 2) == MOST
    assert 0 < portion_size(beside, 2) * 2 <= SHARE * locks
    assert portion_size(beside, 8) < portion_size(beside, 2) <= MOST


def url_of_socket(live: Target) -> str:
    """URL of `live` without a password."""
    return url_of(live, live.conninfo["user"])


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Database of a server whose data directory is seen from here, as the user's own may be."""
    del tmp_path_factory
    with cluster("seen") as (binaries, folder), server(binaries, folder):
        yield open_database(url_of_folder(folder), lambda _: binaries)


def test_room(seen: Target) -> None:
    """A disk that is too small, before the backup is read and when its rows are known."""
    with seen.connect() as connection:
        disks = disks_of(seen, connection)
    assert disks is not None
    free = shutil.disk_usage(disks.data).free
    (line,) = survey(seen, Head(), 0, 1)
    assert re.match("free disk space: [0-9.]+ .B, at least [0-9.]+ .B are needed", line)
    with pytest.raises(CouldNotRun, match="no room for a second database") as refusal:
        list(survey(seen, Head(), free + GIB, 1))
    assert "are reserved for the live server" in str(refusal.value)

    packed = Contents("", Head(), rows={"t": 1000}, read_bytes=1_000_000)
    assert "about 2.2 MB are needed" in room_for(seen, packed)
    with pytest.raises(CouldNotRun, match="no room for a second database"):
        room_for(seen, replace(packed, rows={"t": free // PER_ROW}))


def test_wal_and_reserve_count(tmp_path: Path) -> None:
    """A disk takes the WAL as well, up to max_wal_size, and is never filled to its end."""
    disks = Disks(tmp_path, tmp_path, max_wal=100, spare=10)
    assert list(disks.wanted(70)) == [(tmp_path, 140)]
    assert list(disks.wanted(700)) == [(tmp_path, 800)]
    assert disks.reserve(GIB) == RESERVE + 10
    elsewhere = Disks(tmp_path, Path("/proc"), max_wal=100, spare=10)
    assert list(elsewhere.wanted(700)) == [(tmp_path, 700), (Path("/proc"), 100)]


def fill_beside(live: Target) -> None:
    """A restore of 400 MB beside `live`."""
    with (
        database_beside(live, pytest.fail) as made,
        explained_when_lost(made, "the restore"),
        made.connect() as connection,
    ):
        connection.execute(FILL)
        pytest.fail("all of it was written")


def test_a_drill_is_ended_before_the_disk_is_full(
    seen: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sessions are, its database is gone, the live one goes on; the words are of the disk."""
    reserve = shutil.disk_usage("/tmp").free - 20_000_000  # noqa: S108  # where `seen` lies
    monkeypatch.setattr(Disks, "reserve", lambda *_: reserve)
    had = databases(seen)
    with seen.connect() as application:
        with pytest.raises(CouldNotRun, match="before it filled the disk of database") as ended:
            fill_beside(seen)
        assert application.execute("SELECT 1").fetchone() == (1,)

    assert "are reserved for the live server" in str(ended.value)
    assert "memory" not in str(ended.value)
    assert databases(seen) == had


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a database of a server that is in recovery, and stays so."""
    del tmp_path_factory
    with cluster("replica") as (binaries, folder):
        with server(binaries, folder):
            pass
        (folder / "data" / "standby.signal").touch()
        with server(binaries, folder):
            yield url_of_folder(folder)


def url_of_folder(folder: Path) -> str:
    """URL of the database postgres of the server whose socket lies in `folder`."""
    return f"postgresql://app@{quote(str(folder), safe='')}:5432/postgres"


@contextmanager
def cluster(name: str) -> Iterator[tuple[Binaries, Path]]:
    """A data directory `data` in a new folder, and what runs it."""
    binaries, launcher = find_binaries(15, note=quiet), choose_launcher()
    folder = Path("/tmp") / f"rd-{name}-{time.time_ns()}"  # noqa: S108  # a socket needs a short path
    folder.mkdir(mode=0o755)
    launcher.own(folder)
    try:
        launcher.run(
            [binaries.tool("initdb"), f"--pgdata={folder / 'data'}", "--username=app",
             "--auth=trust"],
            cwd=folder,
        )  # fmt: skip
        yield binaries, folder
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


class server:  # noqa: N801  # a context
    """A server on the data directory in `folder` with its socket there."""

    def __init__(self, binaries: Binaries, folder: Path) -> None:
        """Nothing is started yet."""
        self.binaries, self.folder = binaries, folder

    def __enter__(self) -> None:
        """Start it, and wait until it answers."""
        launcher = choose_launcher()
        self.process = subprocess.Popen(
            [*launcher.prefix, self.binaries.tool("postgres"), "-D", str(self.folder / "data"),
             "-c", "listen_addresses=", "-k", str(self.folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **launcher.options,
        )  # fmt: skip
        for _ in range(300):
            try:
                psycopg.connect(host=str(self.folder), user="app", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("no server")

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait(30)


def test_replica(replica: str, drill_beside: Callable[..., Drill]) -> None:
    """It takes no second database, and the primary is asked for."""
    drill = drill_beside(DATABASE_URL=replica)

    refused(drill, "it is a read-only replica", "name the primary in DATABASE_URL")

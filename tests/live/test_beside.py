"""Beside: the live database is only read, and nothing stays of the new one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from psycopg import sql

from restore_drill.live.beside.database import database_beside
from restore_drill.live.server.maintenance import other_database
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.helpers.drills import Drill
from tests.helpers.live import databases, url_of
from tests.helpers.shop import Shops, fill_shop, pg_dump, quiet
from tests.live.test_reach import BEYOND, SERVER

WRITES = """
BEGIN;
INSERT INTO only_live VALUES (8);
UPDATE artists SET name = name || '!';
CREATE TABLE passing (id int);
ROLLBACK
"""
SLOW = 1.0
"""Seconds that no statement of the application may take."""


def text_of(live: Target, folder: Path) -> bytes:
    """The live database as pg_dump writes it, without the key that each dump has of its own."""
    lines = pg_dump(live, folder / "live.sql").read_bytes().splitlines()
    return b"\n".join(line for line in lines if b"restrict" not in line)


@contextmanager
def application(live: Target) -> Iterator[list[float]]:
    """An application at work, which locks a table and goes on writing: seconds of each round."""
    seconds: list[float] = []
    stop = threading.Event()

    def work() -> None:
        with live.connect() as connection:
            while not stop.is_set():
                began = time.monotonic()
                connection.execute(WRITES.encode())
                seconds.append(time.monotonic() - began)

    thread = threading.Thread(target=work)
    with live.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE locked (id int)")
        connection.execute("LOCK TABLE pg_largeobject IN ACCESS EXCLUSIVE MODE")
        thread.start()
        try:
            yield seconds
        finally:
            stop.set()
            thread.join()


def test_live_database_is_only_read_while_it_is_written_to(
    live: Target, tmp_path: Path, drill_beside: Callable[..., Drill]
) -> None:
    """It stays what it is to the byte, no session of it waits, and nothing is left."""
    before, had = text_of(live, tmp_path), databases(live)

    with application(live) as seconds:
        drill = drill_beside()

    assert drill.code == 0, drill.output
    assert len(seconds) > 20 and max(seconds) < SLOW
    assert databases(live) == had
    assert text_of(live, tmp_path) == before
    target, name = drill.result["target"], live.conninfo["dbname"]
    assert (target["way"], target["live_database"]) == ("beside", name)
    assert target["database"].startswith(f"{name}_drill_")
    assert drill.result["snapshot"] is None
    assert "Not needed: the live database is only read" in drill.output
    assert "amcheck" not in str(drill.result["not_checked"])


def test_damaged_backup_is_red_and_leaves_nothing(
    live: Target, backups: Path, drill_beside: Callable[..., Drill], shops: Shops
) -> None:
    """One that is cut off, and one that restores with errors."""
    had = databases(live)
    path = backups / "db" / "backup.dump"
    path.write_bytes(path.read_bytes()[:-500])

    cut = drill_beside()
    path.unlink()
    spoiled = shops.dump(15, "plain.sql").read_text().replace("CREATE INDEX", "CREATE INDEXX", 1)
    (backups / "db" / "backup.sql").write_text(spoiled)
    wrong = drill_beside()

    assert (cut.code, wrong.code) == (1, 1), cut.output + wrong.output
    assert "test_restore_has_no_errors" in wrong.failed
    assert databases(live) == had


def test_a_part_of_the_drill_is_allowed(live: Target, drill_beside: Callable[..., Drill]) -> None:
    """Nothing is at stake, so that -k and -x narrow it; without the restore no server is asked."""
    had = databases(live)

    drill = drill_beside("-k", "restore_time", "-x")
    files = drill_beside("-k", "backup_is", DATABASE_URL="postgresql://nobody@127.0.0.1:1/shop")

    assert (drill.code, files.code) == (0, 0), drill.output + files.output
    assert databases(live) == had


@pytest.mark.parametrize("name", ['we"ird; DROP DATABASE postgres; --%s', "Ünïcode " + "ä" * 26])
def test_hostile_names(name: str, live: Target, drill_beside: Callable[..., Drill]) -> None:
    """A live database may be called anything, and as long as PostgreSQL lets it."""
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    with live.connect(dbname="postgres") as connection:
        connection.execute(create)
    had = databases(live)
    host, port = live.conninfo["host"], live.conninfo["port"]
    target = Target("database", {"host": host, "port": port, "dbname": name}, 150000, live.binaries)

    drill = drill_beside(DATABASE_URL=url_of(target))

    assert drill.code == 0, drill.output
    assert "! The backup is of the database shop" in drill.output
    assert databases(live) == had


def test_other_databases_and_roles_are_never_touched(
    live: Target, backups: Path, drill_beside: Callable[..., Drill], shops: Shops
) -> None:
    """Whatever the dump says, and whatever is called as a drill would call it."""
    (backups / "db" / "backup.dump").unlink()
    path = pg_dump(shops.source(15), backups / "db" / "backup.sql", "--create")
    end = b"--\n-- PostgreSQL database dump complete"
    assert path.read_bytes().count(end) == 1
    more = BEYOND.replace("{live}", live.conninfo["dbname"])
    more += "COMMENT ON DATABASE shop IS 'x'; ALTER DATABASE shop CONNECTION LIMIT 0;\n"
    path.write_bytes(path.read_bytes().replace(end, more.encode() + end))
    decoy = f"{live.conninfo['dbname']}_drill_0123456789ab"
    with live.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS other")
        connection.execute("CREATE DATABASE other")
        connection.execute(f'CREATE DATABASE "{decoy}"'.encode())
        before = connection.execute(SERVER.encode()).fetchall()
    had = databases(live)

    drill = drill_beside()

    assert drill.code == 0, drill.output
    assert f"The database {decoy} bears no mark of a drill and was not touched" in drill.output
    assert "the comment, the owner and the connection limit" in str(drill.result["notes"])
    assert databases(live) == had
    with live.connect() as connection:
        assert connection.execute(SERVER.encode()).fetchall() == before


def test_a_subscription_of_the_dump_goes_with_the_database(
    live: Target, backups: Path, drill_beside: Callable[..., Drill], shops: Shops
) -> None:
    """It has never connected, so that it is dropped without its publisher."""
    source = shops.database(15, "feeding")
    fill_shop(source, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    fill_shop(
        source, "CREATE SUBSCRIPTION feed CONNECTION 'host=nowhere.invalid' PUBLICATION p"
        " WITH (connect = false, slot_name = feed_slot)",
    )  # fmt: skip
    try:
        pg_dump(source, backups / "db" / "backup.dump", "--format=custom")
    finally:
        fill_shop(source, "ALTER SUBSCRIPTION feed SET (slot_name = NONE)")
        fill_shop(source, "DROP SUBSCRIPTION feed")
    had = databases(live)

    drill = drill_beside()

    assert drill.code == 0, drill.output
    assert databases(live) == had


OPTIONS = {
    15: "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
    16: "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
    17: "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'",
}
MADE = """
    SELECT to_jsonb(d) - '{oid,datname,datfrozenxid,datminmxid}'::text[] FROM pg_database d
    WHERE datname = %s
"""


@pytest.mark.parametrize("major", OPTIONS)
def test_the_new_database_is_like_the_live_one(major: int, shops: Shops) -> None:
    """Its encoding, locale, provider of it, and owner."""
    other = shops.database(major, "other")
    with ExitStack() as stack:
        if major == 15 and "icu" in other.binaries.lacks(frozenset({"icu"})):
            able = find_binaries(15, needs=frozenset({"icu"}), note=quiet)
            other = stack.enter_context(start_embedded(able, note=quiet)).create_database("other")
        live = other_database(other, "like")
        connection = stack.enter_context(other.connect())
        connection.execute(f'CREATE DATABASE "like" TEMPLATE template0 {OPTIONS[major]}'.encode())
        connection.execute("CREATE ROLE its_owner")
        connection.execute('ALTER DATABASE "like" OWNER TO its_owner')
        with database_beside(live, pytest.fail) as made:
            rows = [connection.execute(MADE, [each.conninfo["dbname"]]).fetchall()
                    for each in (live, made)]  # fmt: skip

    assert rows[0] == rows[1]

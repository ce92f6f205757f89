"""Transactions of many statements end with the database, and the errors, of single ones."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from restore_drill.backups.plaindump.events import LargeObjects
from restore_drill.backups.read import read_contents
from restore_drill.restore import crew, transactions
from restore_drill.restore.large_objects import load
from restore_drill.restore.model import Restoration
from restore_drill.restore.object_runs import Open
from restore_drill.restore.plain import restore_plain
from restore_drill.restore.session import Session
from restore_drill.restore.transactions import restore_in_transactions
from restore_drill.servers.model import Target
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, pg_dump, quiet

Compared = Callable[[bytes], Restoration]
END = b"\n--\n-- PostgreSQL database dump complete\n--\n"
HEAD = b"--\n-- PostgreSQL database dump\n--\n\n"
TABLES = b"".join(
    b"""
--
-- Name: t%(n)d; Type: TABLE; Schema: public; Owner: postgres
--
CREATE TABLE public.t%(n)d (id serial PRIMARY KEY, n int);
ALTER TABLE public.t%(n)d ADD CONSTRAINT up FOREIGN KEY (n) REFERENCES public.t%(up)d;
"""
    % {b"n": n, b"up": max(n - 1, 0)}
    for n in range(60)
)


@pytest.fixture
def compared(shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compared:
    """Function that restores SQL both ways, in transactions of ten, and asserts that all is equal.

    It gives the outcome of the quick way.
    """
    monkeypatch.setattr(transactions, "MOST", 10)
    monkeypatch.setattr(crew, "FEWEST", 4)

    def compare(sql: bytes) -> Restoration:
        path = tmp_path / "dump.sql"
        path.write_bytes(HEAD + sql + END)
        backup = backup_of(path)
        contents = read_contents(backup, tmp_path, quiet)
        slow, quick = (new_database(shops, USUAL, None, "UTF8") for _ in range(2))
        wanted = restore_plain(slow, backup, contents, quiet)
        done = restore_in_transactions(quick, backup, contents, jobs=2, progress=quiet)
        assert done.errors == wanted.errors
        assert done.harmless == wanted.harmless
        assert done.statements == wanted.statements
        assert dumped(quick, tmp_path) == dumped(slow, tmp_path)
        return done

    return compare


def dumped(target: Target, folder: Path) -> list[bytes]:
    """Lines of a new dump of `target`."""
    lines = pg_dump(target, folder / "again.sql").read_bytes().splitlines()
    return [line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict"))]


def test_errors_of_several_transactions_are_all_reported(compared: Compared) -> None:
    """Each with its own line, and nothing of the other transactions is lost or repeated."""
    broken = TABLES
    for number in (3, 4, 29, 59):
        broken = broken.replace(b"TABLE public.t%d (id" % number, b"TABLEX public.t%d (id" % number)

    done = compared(broken)

    assert (
        len(done.errors) == 4 + 6
    )  # the keys of these tables, and those of 5 and 30 that refer to them
    assert re.fullmatch(r"in \d+ transactions over 2 connections, \d+ .* by statement", done.way)


def test_tables_go_over_both_connections(compared: Compared) -> None:
    """Without an error nothing is repeated by statement, whoever waits for whom."""
    done = compared(TABLES)

    assert not done.errors
    assert "repeated" not in done.way


SERIAL = (
    b"CREATE TABLE t (id serial, n int NOT NULL);\n"
    + b"CREATE TABLE other ();\n" * 30
    + b"INSERT INTO t (n) VALUES (1);\nINSERT INTO t (n) VALUES (NULL);\n" * 3
    + b"INSERT INTO t (n) VALUES (2);\n"
)
DEFERRED = b"""
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
INSERT INTO child VALUES (1);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1);
"""
ENUM = b"""
CREATE TYPE mood AS ENUM ('sad');
SET check_function_bodies = false;
ALTER TYPE mood ADD VALUE 'ok';
CREATE TABLE t (m mood DEFAULT 'ok' CHECK (m > 'sad'));
INSERT INTO t VALUES ('ok');
"""
SETTING = (
    b"""
CREATE SCHEMA away;
SET search_path = away;
CREATE TABLE t (n int);
CREATE TABLE t (n int);
"""
    + b"CREATE TABLE u ();\nDROP TABLE u;\n" * 20
    + b"CREATE TABLE v ();"
)
OWN = b"""
CREATE TABLE t (n int);
BEGIN;
SET search_path = public;
INSERT INTO t VALUES (1);
ROLLBACK;
SAVEPOINT nowhere;
BEGIN;
INSERT INTO public.t VALUES (2);
INSERT INTO public.t VALUES ('x');
COMMIT;
CREATE TABLE u (n int);
SET LOCAL search_path = public;
CREATE INDEX CONCURRENTLY ON u (n);
VACUUM u;
"""
TRIGGER = b"""
CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS
    $$BEGIN IF random() < 2 THEN RAISE WARNING 'made'; END IF; END$$;
CREATE TABLE t (n int);
CREATE EVENT TRIGGER stop ON ddl_command_end EXECUTE FUNCTION stop();
CREATE TABLE u (n int);
COPY t (n) FROM stdin;
1
\\.
COPY t (n) FROM stdin;
1
x
\\.
COPY nowhere (n) FROM stdin;
1
\\.
"""


OBJECT = b"""
SELECT pg_catalog.lo_open('%(n)d', 131072);
SELECT pg_catalog.lowrite(0, '\\x61');
SELECT pg_catalog.lowrite(0, '\\x62');
SELECT pg_catalog.lo_close(0);
"""


def objects(numbers: range) -> bytes:
    """Large objects as pg_dump has them."""
    made = b"".join(
        b"--\n-- Name: %d; Type: BLOB; Schema: -; Owner: postgres\n--\n\n"
        b"SELECT pg_catalog.lo_create('%d');\n\n\n"
        b"ALTER LARGE OBJECT %d OWNER TO postgres;\n\n" % (n, n, n)
        for n in numbers
    )
    written = b"".join(OBJECT % {b"n": n} for n in numbers)
    heading = b"--\n-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -\n--\n\n"
    return made + heading + b"BEGIN;\n" + written + b"COMMIT;\n\n"


def test_large_objects_go_many_at_once(compared: Compared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the transactions of tables, and what is among them that does not belong there."""
    runs: list[bytes] = []

    def counted(session: Session, run: LargeObjects, here: Open) -> None:
        runs.append(run.sql)
        load(session, run, here)

    monkeypatch.setattr("restore_drill.restore.crew.load", counted)

    assert not compared(objects(range(7000, 7300)) + TABLES).errors
    assert len(runs) == 1 and runs[0].count(b"lowrite") == 600

    other = objects(range(7000, 7009)).replace(
        b"SELECT pg_catalog.lo_close(0);\n\nSELECT pg_catalog.lo_open('7004'",
        b"SELECT pg_catalog.lo_close(0);\nCREATE TABLE among ();\nSELECT pg_catalog.lo_open('7004'",
    )
    assert b"among" in other
    assert not compared(TABLES + other).errors


@pytest.mark.parametrize(
    ("sql", "errors"),
    [(SERIAL, 29 + 3), (DEFERRED, 1), (ENUM, 0), (SETTING, 1), (OWN, 2), (TRIGGER, 2)],
    ids=["serial", "deferred", "enum", "setting", "own transactions", "event trigger"],
)
def test_what_a_transaction_changes_is_as_without_it(
    sql: bytes, errors: int, compared: Compared
) -> None:
    """Values of sequences, deferred keys, new values of an enum, settings, own transactions."""
    assert len(compared(sql).errors) == errors


def test_a_transaction_that_waits_is_ended(shops: Shops, tmp_path: Path) -> None:
    """A signal ends it on whatever connection it is, and nothing of it goes on."""
    path = tmp_path / "endless.sql"
    path.write_bytes(HEAD + b"CREATE TABLE t AS SELECT pg_sleep(3600)::text;\n" + END)
    backup = backup_of(path)
    contents = read_contents(backup, tmp_path, quiet)
    target = new_database(shops, USUAL, None, "UTF8")

    def end(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            restore_in_transactions(target, backup, contents, jobs=2, progress=quiet)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert time.monotonic() - began < 10
    with target.connect() as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)%'"
            " AND pid <> pg_backend_pid() AND state = 'active'"
        ).fetchone()
    assert left == (0,)

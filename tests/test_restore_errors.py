"""Errors of a restore: each has a named cause and a way out, and shows no row."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest

from fixtures.lost import told_when_lost
from fixtures.restore.errors import add_error, without_row_data
from fixtures.restore.model import Restoration
from fixtures.verdict import CouldNotRun
from tests.shop import Shops

CAUSES = {
    'extension "postgis" is not available': "missing extension",
    'could not access file "$libdir/postgis-3": No such file or directory': "missing library",
    'role "app" does not exist': "missing role",
    'unrecognized configuration parameter "new_timeout"': "version trap",
    'relation "cards" already exists': "the object is there twice",
    'insert or update on table "c" violates foreign key constraint "c_fkey"': "orphan rows",
    'could not create unique index "c_pkey"': "duplicate keys",
    'new row for relation "c" violates check constraint "c_check"': "rows that their own",
    'new row for relation "c_1" violates partition constraint': "the bounds of their partition",
    'invalid byte sequence for encoding "UTF8": 0xff': "wrong encoding",
    'missing data for column "b"': "damaged rows",
    "function normalise(text) does not exist": "something it needs is not there",
    "must be owner of table cards": "lacks a right",
    'syntax error at or near "CREATEE"': "no SQL",
}


def filed(statement: str, message: str) -> Restoration:
    """A restoration that met one message of the server."""
    restoration = Restoration(target=None, way="")  # type: ignore[arg-type]
    add_error(restoration, where="line 7", statement=statement, message=message)
    return restoration


@pytest.mark.parametrize("message", CAUSES)
def test_error_has_a_cause_and_a_way_out(message: str) -> None:
    """Messages that servers give have the cause that a person would name."""
    (error,) = filed("CREATE INDEX a ON b (c);", message).errors

    assert CAUSES[message] in error.cause
    assert error.remedy
    assert error.where == "line 7"


HARMLESS = [
    ("SET transaction_timeout = 0;", 'unrecognized configuration parameter "transaction_timeout"'),
    ("CREATE SCHEMA public;", 'schema "public" already exists'),
    ("DROP TABLE public.cards;", 'table "cards" does not exist'),
    ('ALTER TABLE ONLY b."Odd Name" DROP CONSTRAINT c;', 'schema "b" does not exist'),
    ("SELECT pg_catalog.lo_unlink('16394');", "large object 16394 does not exist"),
]


@pytest.mark.parametrize(("statement", "message"), HARMLESS)
def test_harmless_message_is_reported_with_its_reason(statement: str, message: str) -> None:
    """Messages that do no harm are reported, and do not fail the restore."""
    restoration = filed(statement, message)

    assert restoration.errors == []
    assert "(" in restoration.harmless[0]


def test_same_message_of_another_statement_is_an_error() -> None:
    """What is harmless for one statement is not for another."""
    assert filed("CREATE SCHEMA billing;", 'schema "billing" already exists').errors
    assert filed("SET statement_timeout = 0;", 'unrecognized configuration parameter "x"').errors
    assert filed("CREATE VIEW v AS SELECT 1;", 'relation "t" does not exist').errors


def test_rows_are_taken_out_of_messages() -> None:
    """Values of rows are cut out of the server's messages."""
    assert "4711" not in without_row_data('invalid input syntax for type integer: "4711"')
    assert "4711" not in without_row_data('date/time field value out of range: "4711"')
    assert "4711" not in without_row_data("Key (id)=(4711) is duplicated")
    (error,) = filed("INSERT INTO t VALUES (4711);", "permission denied").errors
    assert "4711" not in error.statement


def test_server_that_dies_could_not_run(shops: Shops) -> None:
    """A server that goes away is our means failing, with what it was doing and what to do."""
    target = shops.throwaway(15)
    connection = target.connect()
    row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    pid = int((Path(row[0]) / "postmaster.pid").read_text().split()[0] if row else 0)
    psutil.Process(pid).send_signal(signal.SIGQUIT)

    def use() -> None:
        with told_when_lost(target, "the restore"):
            for _ in range(1000):
                connection.execute("SELECT pg_sleep(0.01)")

    with pytest.raises(CouldNotRun) as caught:
        use()
    connection.close()

    server = f"embedded PostgreSQL {target.version}"
    assert f"the restore stopped: the connection to {server}" in str(caught.value)
    assert "read the server's log" in str(caught.value)

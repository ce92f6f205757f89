"""Errors of a restore: judged by SQLSTATE in any language, each with a cause and a remedy."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_error import ServerError
from restore_drill.core.server_errors import error_in
from restore_drill.restore.errors import add_error
from restore_drill.restore.model import Restoration
from restore_drill.restore.words import opening_words
from restore_drill.servers.lost import explained_when_lost
from restore_drill.servers.model import Target
from restore_drill.servers.processes import find_server
from tests.helpers.shop import Shops

SETUP = """
CREATE TABLE cards (id integer PRIMARY KEY, title text, size integer CHECK (size < 9));
CREATE TABLE parts (id integer, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE twice (id integer);
INSERT INTO twice VALUES (4711), (4711);
CREATE FUNCTION loud(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RAISE EXCEPTION 'card % is bad', n; END $$;
CREATE FUNCTION lost(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN (SELECT max(id) FROM nowhere_to_be_found); END $$;
CREATE FUNCTION full_disk() RETURNS integer LANGUAGE plpgsql AS $$
BEGIN RAISE disk_full USING MESSAGE = 'card 4711', TABLE = '4711', CONSTRAINT = '4711'; END $$;
"""

CAUSES = {
    "CREATE EXTENSION no_such_extension": "missing extension",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '$libdir/no_such', 'f'": "missing library",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'plpgsql', 'f'": "missing library",
    "ALTER TABLE cards OWNER TO nobody_at_all": "missing role",
    "SET new_timeout = 0": "version mismatch",
    "CREATE TABLE cards (id integer)": "the object exists twice",
    "ALTER TABLE ONLY cards ADD CONSTRAINT b PRIMARY KEY (size)": "the object exists twice",
    "ALTER TABLE twice ADD CONSTRAINT a FOREIGN KEY (id) REFERENCES cards (id)": "orphan rows",
    "ALTER TABLE ONLY twice ADD CONSTRAINT twice_pkey PRIMARY KEY (id)": "duplicate keys",
    "INSERT INTO cards VALUES (1, 'a', 4711)": "rows that violate their own",
    "INSERT INTO cards VALUES (NULL)": "rows that violate their own",
    "INSERT INTO parts VALUES (1, '2029-01-01')": "rows that violate their own",
    "INSERT INTO parts_1 VALUES (1, '2029-01-01')": "the bounds of their partition",
    "INSERT INTO cards VALUES (1, convert_from('\\xff', 'utf8'))": "wrong encoding",
    "INSERT INTO cards VALUES (2, 'a', '4711 in all')": "damaged rows",
    "INSERT INTO cards VALUES (2, 'a', 4711471147114711)": "damaged rows",
    "CREATE INDEX i ON cards (normalise(title))": "something it needs is missing",
    "CREATE VIEW v AS SELECT * FROM gone": "something it needs is missing",
    "CREATE INDEX i ON twice (lost(id))": "something it needs is missing",
    "CREATE INDEX i ON twice (loud(id))": "a function of the database itself raised an error",
    "CREATEE TABLE t ()": "text that is not SQL",
    "SELECT full_disk()": "unknown",
}


@pytest.fixture(scope="module")
def server(shops: Shops) -> Target:
    """Database that statements of a dump go wrong in."""
    target = shops.database(15, "errors")
    with target.connect() as connection:
        connection.execute(SETUP)
    return target


@pytest.fixture(scope="module")
def connection(server: Target) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Connection to it."""
    with server.connect() as connection:
        yield connection


def refused(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> ServerError:
    """Error that the server gives for `statement`."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement.encode())
    return error_in(caught.value)


def filed(statement: str, error: ServerError, code: str = "") -> Restoration:
    """A restoration that met one error of the server."""
    restoration = Restoration(target=None, way="")  # type: ignore[arg-type]
    add_error(restoration, where="line 7", statement=statement, error=error, code=code)
    return restoration


@pytest.mark.parametrize("statement", CAUSES)
def test_error_has_a_cause_in_every_language(
    statement: str, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Errors have the cause that a person would name, whatever the server's words, and no row."""
    error = refused(connection, statement)
    for said in (error, replace(error, message="好 не существует")):
        (found,) = filed(statement, said).errors
        assert CAUSES[statement] in found.cause
        assert found.remedy
        assert found.where == "line 7"
        assert "4711" not in "\n".join(found.lines())
        assert error.sqlstate in found.message


HARMLESS = [
    ("SET transaction_timeout = 0;", "42704"),
    ("CREATE SCHEMA public;", "42P06"),
    ('CREATE SCHEMA "public";', "42P06"),
    ("DROP TABLE public.cards;", "42P01"),
    ('ALTER TABLE ONLY b."Odd Name" DROP CONSTRAINT c;', "3F000"),
    ("SELECT pg_catalog.lo_unlink('16394');", "42704"),
]


@pytest.mark.parametrize(("statement", "sqlstate"), HARMLESS)
def test_harmless_message_is_reported_with_its_reason(statement: str, sqlstate: str) -> None:
    """Errors that do no harm are reported in any language, and do not fail the restore."""
    restoration = filed(statement, ServerError(sqlstate, "»x« gibt es nicht", source="guc.c"))

    assert restoration.errors == []
    assert "(" in restoration.harmless[0]


def test_same_error_of_another_statement_is_an_error() -> None:
    """What is harmless for one statement is not for another."""
    assert filed("CREATE SCHEMA billing;", ServerError("42P06")).errors
    assert filed("SET statement_timeout = 0;", ServerError("42704")).errors
    assert filed("CREATE VIEW v AS SELECT 1;", ServerError("42P01")).errors


OURS = {
    "53100": "the disk is full",
    "53200": "memory ran out",
    "53300": "the server lacks resources",
    "57014": "cancelled",
    "57P01": "connection to the server was lost",
    "58030": "the disk is full or cannot be written",
    "40P01": "other sessions",
    "55P03": "other sessions",
    "08006": "a server that the dump reads from",
    "XX001": "storage is damaged",
    "": "connection to the server was lost",
}


@pytest.mark.parametrize("sqlstate", OURS)
def test_our_own_failure_is_reported_by_sqlstate(sqlstate: str, server: Target) -> None:
    """Disk, memory, locks and connections are never the backup's fault, in any language."""
    error = ServerError(sqlstate, "kein Platz mehr auf dem Gerät", source="md.c")
    with pytest.raises(CouldNotRun) as caught:
        add_error(Restoration(server, way=""), where="line 7", statement="", error=error)

    assert OURS[sqlstate] in str(caught.value)


def test_names_are_shown_where_the_schema_has_them(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    """A message about names is shown if they stand in the statement or in the database's code."""
    statement = "CREATE VIEW v AS SELECT * FROM public.gone"
    (error,) = filed(statement, refused(connection, statement)).errors
    assert error.message == (
        'relation "public.gone" does not exist (undefined_table, SQLSTATE 42P01)'
    )

    statement = "CREATE INDEX i ON twice (lost(id))"
    met = refused(connection, statement)
    (hidden,) = filed(statement, met).errors
    (shown,) = filed(statement, met, code="SELECT max(id) FROM nowhere_to_be_found").errors
    assert "nowhere_to_be_found" not in hidden.message
    assert 'relation "nowhere_to_be_found" does not exist' in shown.message


def test_fields_name_what_was_refused(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    """The table and the constraint are named by the server's own fields, not by a function's."""
    statement = "INSERT INTO cards VALUES (1, 'a', 4711)"
    (error,) = filed(statement, refused(connection, statement)).errors
    assert error.message == (
        "check_violation (SQLSTATE 23514): table public.cards, constraint cards_size_check"
    )


STATEMENTS = {
    "INSERT INTO public.t (a) VALUES (4711);": "INSERT INTO public.t ...",
    "UPDATE t SET a = 4711;": "UPDATE t ...",
    "DELETE FROM ONLY t WHERE a = 4711": "DELETE FROM ONLY t ...",
    "SELECT 4711;": "SELECT ...",
    "SELECT pg_catalog.setval('t', 4711);": "SELECT pg_catalog.setval ...",
    "CALL pay(4711);": "CALL pay ...",
    "DO $$ BEGIN PERFORM 4711; END $$": "DO ...",
    "WITH x AS (SELECT 4711) SELECT 1": "WITH ...",
    "4711\tMiller": "...",
    "CREATE USER MAPPING FOR a SERVER b OPTIONS (password '4711');": (
        "CREATE USER MAPPING FOR a SERVER b OPTIONS (password ..."
    ),
    "ALTER ROLE a WITH PASSWORD E'4711'": "ALTER ROLE a WITH PASSWORD ...",
    "COPY public.t (a) FROM stdin;": "COPY public.t (a) FROM stdin;",
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_is_named_without_its_values(statement: str) -> None:
    """A statement is named by its table or object; no literal of it is shown."""
    assert opening_words(statement) == STATEMENTS[statement]


def test_server_that_dies_could_not_run(shops: Shops) -> None:
    """A server that goes away is our means failing, with what it was doing and what to do."""
    target = shops.throwaway(15)
    connection = target.connect()
    row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    server = find_server(Path(str(row[0]) if row else ""))
    assert server is not None
    server.send_signal(signal.SIGQUIT)

    def use() -> None:
        with explained_when_lost(target, "the restore"):
            for _ in range(1000):
                connection.execute("SELECT pg_sleep(0.01)")

    with pytest.raises(CouldNotRun) as caught:
        use()
    connection.close()

    name = f"embedded PostgreSQL {target.version}"
    assert f"the restore stopped: the connection to {name}" in str(caught.value)
    assert "read the server's log" in str(caught.value)

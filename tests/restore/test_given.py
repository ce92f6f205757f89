"""Dumps that were edited by hand come back as psql restores them, over several connections too."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.read import read_contents
from restore_drill.restore.given import are_given
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import restore_plain
from restore_drill.restore.relations import Table
from restore_drill.restore.single_transaction import restore_in_one_transaction
from restore_drill.restore.split import restore_split
from restore_drill.restore.transactions import restore_in_transactions
from restore_drill.servers.model import Target
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, quiet
from tests.restore.test_split import content, errors_of

HEAD = """--
-- PostgreSQL database dump
--
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SEQUENCE public.s;
CREATE TABLE public.a (id integer DEFAULT nextval('public.s'), t text);
CREATE TABLE public.b (id integer DEFAULT nextval('public.s') PRIMARY KEY, t text);
"""
END = "\n--\n-- PostgreSQL database dump complete\n--\n"
ROWS = range(300)


def data(table: str, rows: str) -> str:
    """Rows of a table below their heading."""
    head = f"\n--\n-- Data for Name: {table}; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n"
    return head + rows


def inserts(table: str, values: str, columns: str = "") -> str:
    """INSERTs of one row each, in which `%d` is its number."""
    into = f"INSERT INTO public.{table} {columns}VALUES ("
    return data(table, "".join(into + values.replace("%d", str(n)) + ");\n" for n in ROWS))


def copy(table: str, columns: str, row: str, first: int = 0) -> str:
    """The same as COPY, from the number `first` on."""
    rows = "".join(row.replace("%d", str(first + n)) + "\n" for n in ROWS)
    return data(table, f"COPY public.{table} ({columns}) FROM stdin;\n{rows}\\.\n")


SETVAL = (
    "\n--\n-- Name: s; Type: SEQUENCE SET; Schema: public; Owner: -\n--\n\n"
    "SELECT pg_catalog.setval('public.s', 17, true);\n"
)
EDITED = {
    "a query": inserts("a", "%d, 'x'")
    + data("b", "INSERT INTO public.b SELECT count(*) FROM public.a;\n"),
    "a query as value": inserts("a", "%d, 'x'")
    + data("b", "INSERT INTO public.b VALUES ((SELECT count(*) FROM public.a), '');\n"),
    "a rule": "CREATE RULE r AS ON INSERT TO public.a DO ALSO"
    " INSERT INTO public.b SELECT 1000 + count(*) FROM public.b;\n"
    + inserts("a", "%d, 'x'")
    + inserts("b", "%d, 'x'"),
    "values of a sequence": inserts("a", "nextval('public.s'), 'x%d'")
    + inserts("b", "nextval('public.s'), 'x%d'"),
    "DEFAULT": inserts("a", "DEFAULT, 'x%d'") + inserts("b", "DEFAULT, 'x%d'"),
    "a column left out": inserts("a", "'x%d'", "(t) ") + inserts("b", "'x%d'", "(t) "),
    "a column left out of COPY": copy("a", "t", "x%d") + copy("b", "t", "x%d") + SETVAL,
    "rows in two places": copy("b", "id, t", "%d\tfirst")
    + copy("b", "id, t", "%d\tsecond" + "." * 99, first=299),
}


def restored(path: Path, shops: Shops) -> list[tuple[Restoration, Target]]:
    """The dump at `path`, statement by statement and over several connections."""
    backup = backup_of(path)
    contents = read_contents(backup, path.parent, quiet)
    serial, split = (new_database(shops, USUAL, None, "UTF8") for _ in range(2))
    return [
        (restore_plain(serial, backup, contents, quiet), serial),
        (restore_split(split, backup, contents, jobs=3, progress=quiet), split),
    ]


@pytest.mark.parametrize("kind", EDITED)
def test_what_the_server_finds_out_is_found_out_at_its_place(
    kind: str, shops: Shops, tmp_path: Path
) -> None:
    """Rows that hang on other rows, or take numbers in turn, are those that psql brings."""
    path = tmp_path / "edited.sql"
    path.write_text(HEAD + EDITED[kind] + END, encoding="utf-8")

    (serial, wanted), (split, target) = restored(path, shops)

    assert content(target) == content(wanted)
    assert errors_of(split) == errors_of(serial)


GIVEN = {
    "INSERT INTO t VALUES (1, 'DEFAULT');": True,
    "INSERT INTO t (\"a (b)\", b) VALUES (-1.5e-07, B'101') ON CONFLICT DO NOTHING;": True,
    "INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (NULL, E'it\\'s'), (true, '(f())');": True,
    "INSERT INTO t (a) VALUES (1);": False,
    "INSERT INTO t VALUES (1, DEFAULT);": False,
    "INSERT INTO t DEFAULT VALUES;": False,
    "INSERT INTO t VALUES (1, lower('A'));": False,
    "INSERT INTO t VALUES (1, (TABLE u));": False,
    "INSERT INTO t SELECT 1, 2;": False,
    "INSERT INTO t VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = 1;": False,
}


@pytest.mark.parametrize("sql", GIVEN)
@pytest.mark.parametrize("in_runs", [False, True], ids=["singly", "in runs"])
def test_only_literals_are_given(sql: str, in_runs: bool) -> None:  # noqa: FBT001
    """However an INSERT was read."""
    event = next(PlainReader(io.BytesIO(sql.encode() + b"\n"), in_runs=in_runs).events())
    table = Table(b"1", is_plain=True, is_parallel_safe=True, stored=2)
    assert are_given(event, table, escapes=False) is GIVEN[sql]  # type: ignore[arg-type]


HIDDEN = {
    "by a setting": b"SET escape_string_warning = off;\n"
    b"SELECT set_config('standard_conforming_strings', 'off', false);\n"
    b"COMMENT ON TABLE public.a IS '\\''; CREATE TABLE public.evil (); --';\n",
    "by an encoding": b"SET client_encoding = 'SJIS';\n"
    b"COMMENT ON TABLE public.a IS E'\x95\\'; CREATE TABLE public.evil (); --';\n",
    "in an INSERT": b"SET client_encoding = 'SJIS';\n"
    b"SELECT set_config('backslash_quote', 'on', false);\n"
    b"INSERT INTO public.a VALUES (1, E'\x95\\\\', '); CREATE TABLE public.evil (); --');\n",
}


@pytest.mark.parametrize("how", HIDDEN)
def test_no_statement_slips_through_where_nothing_shuts_it_in(
    how: str, shops: Shops, tmp_path: Path
) -> None:
    """A statement that only the server sees is refused by it in each of the quick ways."""
    path = tmp_path / "hiding.sql"
    path.write_bytes(HEAD.encode() + HIDDEN[how] + END.encode())
    backup = backup_of(path)
    contents = read_contents(backup, tmp_path, quiet)
    for way in (restore_in_one_transaction, restore_in_transactions, restore_split):
        target = new_database(shops, USUAL, None, "UTF8")
        more = {} if way is restore_in_one_transaction else {"jobs": 2}
        done = way(replace(target, isolated=False), backup, contents, progress=quiet, **more)
        assert done is None or done.errors
        with target.connect() as connection:
            assert connection.execute("SELECT to_regclass('public.evil')").fetchone() == (None,)

"""Dumps that were edited by hand come back as psql restores them, over several connections too."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.backups.plaindump import insert_reader
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.read import read_contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.restore import loader
from restore_drill.restore.given import are_given
from restore_drill.restore.relations import Table
from restore_drill.restore.single_transaction import restore_in_one_transaction
from restore_drill.restore.split import restore_split
from restore_drill.restore.transactions import restore_in_transactions
from tests.corpus.ways.trial import run_tool
from tests.corpus.ways.ways import Restore, at_once, in_transactions, serial, split
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, quiet
from tests.restore.test_split import SMALL_PORTIONS, content

Compared = Callable[[str], None]

HEAD = """--
-- PostgreSQL database dump
--
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SEQUENCE public.s;
CREATE TABLE public.a (id integer DEFAULT nextval('public.s'), t text);
CREATE TABLE public.b (id integer DEFAULT nextval('public.s') PRIMARY KEY, t text);
CREATE TABLE public.c (t text NOT NULL, id integer DEFAULT nextval('public.s'));
CREATE TABLE public.d (t text, id integer DEFAULT nextval('public.s') PRIMARY KEY);
CREATE TABLE public.e (g text GENERATED ALWAYS AS ('g') STORED, t text,
    id integer DEFAULT nextval('public.s'));
CREATE TABLE public.f (t text, id integer DEFAULT nextval('public.s'),
    g text GENERATED ALWAYS AS ('g') STORED);
CREATE TABLE public.i (id integer GENERATED ALWAYS AS IDENTITY, t text NOT NULL);
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


def rows_of(table: str, first: str, last: str) -> str:
    """The same as one INSERT of many rows, of which the last is another."""
    rows = ",\n\t".join([*(f"({first})".replace("%d", str(n)) for n in ROWS), f"({last})"])
    return data(table, f"INSERT INTO public.{table} VALUES\n\t{rows};\n")


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
    "fewer values than columns": inserts("c", "'x%d'") + inserts("d", "'x%d'"),
    "fewer values in one INSERT": rows_of("c", "'x%d'", "'y'") + rows_of("d", "'x%d'", "'y'"),
    "now fewer, now all values": inserts("c", "'x%d', 1")
    + inserts("c", "'y%d'")
    + inserts("d", "'x%d', 1%d")
    + inserts("d", "'y%d'"),
    "DEFAULT written small": inserts("a", "default, 'x%d'") + inserts("b", "Default, 'x%d'"),
    "DEFAULT in the last row": rows_of("a", "%d, 'x'", "DEFAULT, 'y'") * 9
    + rows_of("b", "1%d, 'x'", "DEFAULT, 'y'")
    + rows_of("c", "'x', %d", "'y', default") * 9,
    "DEFAULT beside a generated column": inserts("e", "DEFAULT, 'x%d', DEFAULT")
    + inserts("f", "'x%d', DEFAULT, DEFAULT"),
    "fewer values than with a generated column": inserts("f", "'x%d'")
    + inserts("e", "DEFAULT, 'x%d'"),
    "DEFAULT for a generated column that is named": inserts("e", "'x%d', DEFAULT", "(t, g) ")
    + inserts("f", "'x%d', DEFAULT", "(t, g) "),
    "values of identities overridden": inserts("i", "5, 'x%d'", "OVERRIDING USER VALUE ")
    + "INSERT INTO public.i OVERRIDING USER VALUE VALUES (1, NULL);\n"
    + "INSERT INTO public.i OVERRIDING USER VALUE VALUES (1, 'y');\n",
    "a row that fails among defaults": inserts("c", "'x%d'")
    + "INSERT INTO public.c VALUES (NULL);\nINSERT INTO public.c VALUES ('y');\n"
    + inserts("d", "'x%d'"),
    "a row that fails, as COPY": copy("c", "t", "x%d")
    + copy("c", "t", "\\N")
    + copy("d", "t", "x%d"),
    "rows in two places": copy("b", "id, t", "%d\tfirst")
    + copy("b", "id, t", "%d\tsecond" + "." * 99, first=299),
}


@pytest.fixture
def compared(shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compared:
    """Function that restores SQL by psql and in all ways of ours, and asserts that all is equal."""
    patches = {**SMALL_PORTIONS, (loader, "MB"): 0, (insert_reader, "MOST"): 900}
    for (module, name), value in patches.items():
        monkeypatch.setattr(module, name, value)

    def compare(sql: str) -> None:
        path = tmp_path / "edited.sql"
        path.write_text(HEAD + sql + END, encoding="utf-8")
        backup = backup_of(path)
        contents = read_contents(backup, tmp_path, quiet)
        truth = new_database(shops, USUAL, None, "UTF8")
        errors = run_tool(truth, path, is_archive=False)
        wanted = content(truth)
        for way in (serial, at_once, in_transactions(3), split(3)):
            target = new_database(shops, USUAL, None, "UTF8")
            done = way(target, backup, contents)
            if done is not None:
                assert content(target) == wanted
                assert len(done.errors) == errors

    return compare


@pytest.mark.parametrize("kind", EDITED)
def test_what_the_server_finds_out_is_found_out_at_its_place(kind: str, compared: Compared) -> None:
    """Rows that hang on other rows, or take numbers in turn, are those that psql brings."""
    compared(EDITED[kind])


OLD = r"""INSERT INTO public.a VALUES (1, 'it\'s');
INSERT INTO public.a VALUES (2, '\\'), (3, 'x\\''y');
COMMENT ON TABLE public.a IS '\'; not SQL\\';
"""
STANDARD = r"""INSERT INTO public.a VALUES (4, '\'), (5, '\\');
COMMENT ON TABLE public.b IS '\';
"""
OFF = [
    "SET standard_conforming_strings = of", "set Standard_Conforming_Strings to OFF",
    "SET standard_conforming_strings='f'", "SET SESSION standard_conforming_strings = no",
    'SET "standard_conforming_strings" TO "Fal"', "SET standard_conforming_strings = 0",
    "SET standard_conforming_strings = $$off$$", "SET/**/standard_conforming_strings--x\n=off",
    "/* a; */ SET standard_conforming_strings = n",
    "SELECT pg_catalog.set_config('standard_conforming_strings', 'off', false)",
    "SELECT set_config ( 'STANDARD_conforming_strings' , 'oFf' , False )",
]  # fmt: skip
ON = [
    "SET standard_conforming_strings = y", "RESET standard_conforming_strings", "reset all",
    "SET standard_conforming_strings TO DEFAULT", "DISCARD ALL",
    "SET SESSION standard_conforming_strings = tr",
    "SELECT pg_catalog.set_config('standard_conforming_strings', 'on', false)",
]  # fmt: skip
NOT = [
    "SET standard_conforming_strings = o", "SET standard_conforming_strings = offf",
    "SET standard_conforming_strings = ' off'", "SET standard_conforming_strings = on, off",
    "SET standard_conforming_strings off", "SET LOCAL standard_conforming_strings = off",
    "SELECT set_config('standard_conforming_strings', 'off', true)",
    "SELECT set_config('standard_conforming_strings', 'off', false) WHERE false",
]  # fmt: skip


def test_strings_are_read_as_the_server_reads_them(compared: Compared) -> None:
    """Whatever form a dump sets in what a backslash means, and where the server takes none."""
    forms = zip(OFF, [*ON, *ON], strict=False)
    each = "".join(f"{off};\n{OLD}{on};\n{STANDARD}" for off, on in forms)
    compared("SET escape_string_warning = off;\n" + each + ";\n".join(NOT) + ";\n" + STANDARD)


HIDDEN_SETTINGS = [
    "SELECT set_config('standard_' || 'conforming_strings', 'off', false)",
    "BEGIN; SET LOCAL standard_conforming_strings = off",
    "DO $$ BEGIN PERFORM set_config('standard_conforming_strings', 'off', false); END $$",
    "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
    "SET standard_conforming_strings = off; BEGIN; RESET standard_conforming_strings; ROLLBACK",
]


@pytest.mark.parametrize("how", HIDDEN_SETTINGS)
def test_what_only_the_server_knows_of_strings_ends_the_restore(
    how: str, shops: Shops, tmp_path: Path
) -> None:
    """Nothing is read on where a string may end elsewhere."""
    path = tmp_path / "hiding.sql"
    path.write_text(f"{HEAD}{how};\n{OLD}{END}", encoding="utf-8")
    backup = backup_of(path)
    contents = read_contents(backup, tmp_path, quiet)

    def chosen(way: Restore) -> None:
        target = new_database(shops, USUAL, None, "UTF8")
        if way(target, backup, contents) is None:
            serial(target, backup, contents)

    for way in (serial, at_once, in_transactions(2), split(2)):
        with pytest.raises(CouldNotRun, match="what a backslash means"):
            chosen(way)


GIVEN = {
    "INSERT INTO t VALUES (1, 'DEFAULT');": True,
    "INSERT INTO t (\"a (b)\", b) VALUES (-1.5e-07, B'101') ON CONFLICT DO NOTHING;": True,
    "INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (NULL, E'it\\'s'), (true, '(f())');": True,
    "INSERT INTO t (a) VALUES (1);": False,
    "INSERT INTO t VALUES (1);": False,
    "INSERT INTO t VALUES (1, 2, 3);": False,
    "INSERT INTO t VALUES (1, default);": False,
    "INSERT INTO t OVERRIDING USER VALUE VALUES (1, 2);": False,
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
    table = Table(b"1", is_plain=True, is_parallel_safe=True, columns=b"ss")
    assert are_given(event, table, escapes=False) is GIVEN[sql]  # type: ignore[arg-type]


UNSEEN = b"SELECT set_config('client_' || 'encoding', 'SJIS', false);\n"
"""An encoding in which a byte of a longer character is that of a backslash."""
HIDDEN = {
    "by a setting": b"SET escape_string_warning = off;\n"
    b"SELECT set_config('standard_' || 'conforming_strings', 'off', false);\n"
    b"COMMENT ON TABLE public.a IS '\\''; CREATE TABLE public.evil (); --';\n",
    "by an encoding": UNSEEN
    + b"COMMENT ON TABLE public.a IS E'\x95\\'; CREATE TABLE public.evil (); --';\n",
    "in an INSERT": UNSEEN + b"SELECT set_config('backslash_quote', 'on', false);\n"
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
        with suppress(CouldNotRun):
            done = way(replace(target, isolated=False), backup, contents, progress=quiet, **more)
            assert done is None or done.errors
        with target.connect() as connection:
            assert connection.execute("SELECT to_regclass('public.evil')").fetchone() == (None,)

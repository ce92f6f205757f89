"""INSERTs that go as COPY, or many at once, bring the rows and errors that each alone would."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restore_drill.backups.plaindump import runs
from restore_drill.backups.plaindump.events import Inserts
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.read import read_contents
from restore_drill.restore import loader
from restore_drill.restore.as_copy import AsCopy, Column
from restore_drill.restore.fill import Fill
from restore_drill.restore.inserted_table import InsertedTable
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import restore_plain
from restore_drill.restore.relations import Table
from restore_drill.restore.session import Session
from restore_drill.restore.single_transaction import restore_in_one_transaction
from restore_drill.restore.split import restore_split
from tests.helpers.restoring import NUMBER, backup_of, new_database
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump, quiet
from tests.restore.test_split import content, errors_of

TYPES = """
CREATE TYPE mood AS ENUM ('calm', 'true'); CREATE DOMAIN whole AS integer CHECK (VALUE > 0);
CREATE DOMAIN short AS varchar(3) NOT NULL; CREATE TYPE pair AS (a integer, b text);
"""
KINDS = [
    "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "numeric(6,2)", "bool", "bit(4)",
    "varbit(8)", "text", "varchar(3)", "char(4)", '"char"', "name", "date", "timestamptz(0)",
    "interval(0)", "time(2)", "bytea", "json", "jsonb", "int4[]", "numeric(4,1)[]", "varchar(3)[]",
    "point", "money", "uuid", "inet", "tsvector", "whole", "short", "mood", "pair", "regclass",
    "int4range", "xid",
]  # fmt: skip
LITERALS = [
    "1", "-5", "0", "-0", "-0.0", "-0e5", "007", "1.5", "1.0", "1e3", "1e+10", "-1.5e-07", "1e400",
    "5000000000", "99999999999999999999", "-9223372036854775808", "2147483648", "16777217", "0.1",
    "1.00000005960464477539062500001", "9007199254740993", "0x10", "1_000", ".5", "5.", "NULL",
    "true", "false", "TRUE", "B'0101'", "B'01'", "B''", "B'x1F'", "B'2'", "X'1f'", "N'a'", "'0101'",
    "''", "'a'", "'it''s'", "''''", "' a '", "'abcdef'", "'abc   '", "'\\'", "'\\\\'", "'\\N'",
    "'\\.'", "'NULL'", "'x\ty'", "'x\ny'", "'x\r\ny'", "'1'", "'-0'", "'NaN'", "'Infinity'",

    "'1.555'",
    "'true'", "'t'", "'calm'", "'{1,2}'", "'{\"a,b\",NULL}'", "'{abcd}'", "'{1.25}'", "'(1,2)'",
    "'(1,\"a''b\\\\c\")'", "'2020-01-01'", "'2020-01-01 00:00:00.6+00'", "'1 day 00:00:01.7'",
    "'10:00:00.129'", "'\\x00ff'", "'\\\\000'", "'{\"a\": \"b\\\\nc\"}'", "'$1.50'", "'-1'",
    "'pg_class'",
    "'a3bb189e-8bf9-3888-9912-ace4e6543002'", "'10.0.0.1/8'", "'a:1 b'", "'[1,5)'", "U&'\\0041'",
    "DEFAULT", "1 + 1", "'a' || 'b'", "lower('A')", "-5::int2",
]  # fmt: skip


@pytest.mark.parametrize("escapes", [False, True], ids=["standard strings", "old strings"])
def test_copy_brings_what_insert_brings(escapes: bool, shops: Shops) -> None:  # noqa: FBT001
    """Each literal in a column of each type: what goes as COPY is the very same then."""
    target = new_database(shops, USUAL, None, "UTF8")
    fill_shop(target, TYPES)
    session = Session(target, Restoration(target, ""), threading.Event())
    if escapes:
        session.wire.exec_(b"SET standard_conforming_strings = off")
        session.wire.exec_(b"SET escape_string_warning = off")
        session.settings = {b"escape_string_warning": b"SET escape_string_warning = off;"}
    went = 0
    for kind in KINDS:
        session.wire.exec_(f"DROP TABLE IF EXISTS t; CREATE TABLE t (v {kind})".encode())
        oid = session.rows("SELECT 't'::regclass::oid")[0][0]
        known = Table(oid.encode(), is_plain=True, is_parallel_safe=True, columns=b"s")
        table = InsertedTable(session, known)
        for literal in LITERALS:
            text = f"INSERT INTO t VALUES ({old(literal) if escapes else literal});\n"
            went += goes_alike(session, table, text.encode())
    session.close()
    assert went > 500


def old(literal: str) -> str:
    """As pg_dump writes a string where a backslash escapes in each."""
    is_plain = "\\" not in literal or not literal.startswith("'")
    return literal if is_plain else "E" + literal.replace("\\", "\\\\")


def goes_alike(session: Session, table: InsertedTable, text: bytes) -> bool:
    """Whether an INSERT goes as COPY; asserts that it brings the same then."""
    reader = PlainReader(io.BytesIO(text), in_runs=True)
    reader.backslash_strings = session.escapes
    event = next(reader.events())
    way = table.as_copy(event.head) if isinstance(event, Inserts) else None
    copied = text_of(way, event) if way and isinstance(event, Inserts) else None
    if way is None or copied is None:
        return False
    session.wire.exec_(b"TRUNCATE t")
    session.wire.exec_(way.statement)
    session.wire.put_copy_data(copied)
    if session.wire.end_copy()[0].error_message:
        return False
    rows = session.rows("SELECT v::text, v::text IS NULL FROM t")
    session.wire.exec_(b"TRUNCATE t")
    assert not session.wire.exec_(text).error_message, text
    assert session.rows("SELECT v::text, v::text IS NULL FROM t") == rows, text
    return True


def text_of(way: AsCopy, event: Inserts) -> bytes | None:
    """The rows of `event` as COPY text, which is the same by each of the ways to part them."""
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for often in (0, 1 << 12):
            patch.setattr(runs, "OFTEN", often)
            found.append(way.text_of(event))
    assert found[0] == found[1]
    return found[0]


STRINGS = st.text("'x\\\n\tE,() ", max_size=9)
KINDS_OF_BARE = {25: ["NULL"], 1562: ["NULL", "B'01'", "B''"], 23: ["NULL", "-7"]}
"""What stands for a value beside strings, by the oid of the type."""
ROWS = st.tuples(*(st.one_of(STRINGS, st.sampled_from(each)) for each in KINDS_OF_BARE.values()))
BARE_VALUES = {each for values in KINDS_OF_BARE.values() for each in values}


@settings(max_examples=400, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=4), escapes=st.booleans())
def test_strings_are_told_apart_in_both_ways(rows: list[tuple[str, ...]], *, escapes: bool) -> None:
    """Each string comes to COPY as it is, where quotes in strings are many and where they are few.

    A string that is like one of BARE_VALUES stands for that.
    """
    columns = [Column(b"c", kind, *[False] * 3) for kind in KINDS_OF_BARE]
    way = AsCopy(columns, b"INSERT INTO t VALUES (", b"COPY t FROM stdin", escapes)
    lines = []
    for row in rows:
        strings = (
            each if each in BARE_VALUES else "'" + each.replace("'", "''") + "'" for each in row
        )
        lines.append(", ".join(old(each) if escapes else each for each in strings))
    sql = "".join(f"INSERT INTO t VALUES ({line});\n" for line in lines).encode()

    copied = text_of(way, Inserts(1, sql, way.head, len(rows), len(rows)))

    assert copied is not None
    assert [line.split("\t") for line in copied.decode().split("\n")[:-1]] == [
        [in_copy(each) for each in row] for row in rows
    ]


def in_copy(value: str) -> str:
    """How COPY has it."""
    if value in BARE_VALUES:
        return "\\N" if value == "NULL" else value.replace("'", "")
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


TABLES = """
CREATE TABLE public.plain (id serial PRIMARY KEY, a text, f float8, b bit varying, yes boolean);
INSERT INTO public.plain (a, f, b, yes)
    SELECT CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN E'it''s \\\\ a\\ttab' WHEN 2 THEN ''
        WHEN 3 THEN E'two\\nlines\\r);\\nINSERT INTO public.plain VALUES (1' WHEN 4 THEN '\\.'
        WHEN 5 THEN '''' ELSE repeat('x, ''y''), (', n % 9) END,
        CASE n % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN n / 3.0 WHEN 2 THEN -n * 1e30 ELSE n END::float8,
        n::bit(9)::varbit, n % 2 = 0 FROM generate_series(1, 600) n;
CREATE TABLE public.minus (f float8);
INSERT INTO public.minus SELECT CASE n WHEN 150 THEN '-0' ELSE n END::float8
    FROM generate_series(1, 200) n;
CREATE TABLE public.computed (twice integer GENERATED ALWAYS AS (n * 2) STORED, n integer,
    thrice integer GENERATED ALWAYS AS (n * 3) STORED, "odd, ""name" text);
INSERT INTO public.computed (n, "odd, ""name") SELECT n, 't' || n FROM generate_series(1, 150) n;
CREATE TABLE public.always (id integer GENERATED ALWAYS AS IDENTITY, "a (b) c" date);
INSERT INTO public.always ("a (b) c") SELECT date '2020-01-01' + n FROM generate_series(1, 150) n;
CREATE TABLE public."it's" (n integer); INSERT INTO public."it's" SELECT generate_series(1, 50);
CREATE TABLE public.long (t text);
INSERT INTO public.long SELECT repeat('a''b', 400000) FROM generate_series(1, 2);
CREATE TABLE public.nothing (); INSERT INTO public.nothing DEFAULT VALUES;
"""
FORMS = {
    "one row": ("--inserts",),
    "columns": ("--column-inserts",),
    "many rows": ("--rows-per-insert=100",),
    "conflicts": ("--column-inserts", "--rows-per-insert=9", "--on-conflict-do-nothing"),
    "old strings": ("--inserts",),
}


@pytest.fixture(scope="module")
def dumps(shops: Shops) -> dict[str, Path]:
    """Dumps of TABLES in all FORMS."""
    shops.source(USUAL)
    source = shops.database(USUAL, f"inserts_{next(NUMBER)}")
    fill_shop(source, TABLES)
    made = {}
    for form, options in FORMS.items():
        made[form] = shops.folder / f"inserts {form}.sql"
        if form == "old strings":
            name = source.conninfo["dbname"]
            with source.connect() as connection:
                connection.execute(f"ALTER DATABASE {name} SET standard_conforming_strings = off")
        pg_dump(source, made[form], *options)
    return made


Ways = Callable[..., list[Restoration]]


@pytest.fixture
def all_ways(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Function that restores a dump in each way and asserts that all is as by hand."""

    def compare(path: Path, schema: Path | None = None) -> list[Restoration]:
        backup = backup_of(path)
        contents = read_contents(backup, path.parent, quiet)
        target = new_database(shops, USUAL, schema, "UTF8")
        serial = restore_plain(target, backup, contents, quiet)
        wanted = content(target)
        once = new_database(shops, USUAL, schema, "UTF8")
        if restore_in_one_transaction(once, backup, contents, quiet):
            assert content(once) == wanted
            assert not serial.errors
        done = []
        for size in (0, 1 << 40):
            monkeypatch.setattr(loader, "FRESH_SIZE", size)
            other = new_database(shops, USUAL, schema, "UTF8")
            done.append(restore_split(other, backup, contents, jobs=2, progress=quiet))
            assert content(other) == wanted
            assert errors_of(done[-1]) == errors_of(serial)
            assert sorted(done[-1].harmless) == sorted(serial.harmless)
        return done

    return compare


@pytest.fixture
def portions(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Names of the tables whose INSERTs have not gone as one COPY."""
    found: list[bytes] = []
    in_portions = Fill.in_portions

    def noted(fill: Fill) -> None:
        found.append(fill.filling.name)
        in_portions(fill)

    monkeypatch.setattr(Fill, "in_portions", noted)
    return found


@pytest.mark.parametrize("form", FORMS)
def test_tables_are_the_same(
    form: str, dumps: dict[str, Path], all_ways: Ways, portions: list[bytes]
) -> None:
    """All forms of INSERTs make the very tables, and only what is odd does not go as one COPY."""
    done = all_ways(dumps[form])
    assert not any(each.errors for each in done)
    assert all(each.way == "split over 2 connections" for each in done)
    assert set(portions) <= {b"public.minus", b'public."it\'s"', b"public.long", b"public.nothing"}


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "wrong value": lambda dump: dump.replace(b"2020-02-01", b"yesteryear"),
    "wrong number": lambda dump: re.sub(rb"\((7\d), '", rb"('x', '", dump),
    "rounded number": lambda dump: dump.replace(b", 77, ", b", 77.4, "),
    "calls": lambda dump: dump.replace(b"'t7'", b"lower('T7')"),
    "comment": lambda dump: dump.replace(b", 't9'", b", -- it's\n 't9'"),
    "default": lambda dump: dump.replace(b"(9, '", b"(DEFAULT, '"),
    "lost column": lambda dump: dump.replace(b", 't8'", b""),
    "cut": lambda dump: dump[: dump.index(b"INSERT INTO public.plain") + 5000],
    "lost table": lambda dump: dump.replace(
        b"CREATE TABLE public.always", b"CREATE TABLE public.a"
    ),
    "no override": lambda dump: dump.replace(b" OVERRIDING SYSTEM VALUE", b""),
    "meta": lambda dump: dump.replace(b", '2020-03-01'", b", \\x\n'2020-03-01'"),
    "CRLF": lambda dump: dump.replace(b"\n", b"\r\n"),
    "not null": lambda dump: dump.replace(
        b"CREATE TABLE public.always (", b"CREATE TABLE public.always (CHECK (id < 90),"
    ),
    "too many": lambda dump: dump.replace(
        b"CREATE TABLE public.plain (", b"CREATE TABLE public.plain (CHECK (id < 5),"
    ),
    "rule": lambda dump: dump.replace(
        b"\n--\n-- Data for Name: always",
        b"CREATE RULE r AS ON INSERT TO public.always WHERE NEW.id > 9 DO INSTEAD NOTHING;"
        b"\n--\n-- Data for Name: always",
        1,
    ),
    "trigger": lambda dump: dump.replace(
        b"\n--\n-- Data for Name: always",
        b"CREATE FUNCTION public.loud() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        b" RAISE WARNING 'row %', NEW.id; RETURN NEW; END $$;\n"
        b"CREATE TRIGGER l BEFORE INSERT ON public.always FOR EACH ROW WHEN (NEW.id < 9)"
        b" EXECUTE FUNCTION public.loud();\n\n--\n-- Data for Name: always",
        1,
    ),
}


@pytest.mark.parametrize(
    ("damage", "form"),
    [
        *((each, "one row") for each in DAMAGES),
        *(
            (each, "many rows")
            for each in ("wrong value", "rounded number", "calls", "cut", "CRLF")
        ),
        *((each, "conflicts") for each in ("wrong value", "default", "too many")),
        ("wrong value", "old strings"),
    ],
)
def test_errors_are_the_same(
    damage: str, form: str, dumps: dict[str, Path], all_ways: Ways, tmp_path: Path
) -> None:
    """Damaged INSERTs meet the errors, with lines, and leave the rows, that each alone would."""
    # Without the long values, which are damaged nowhere and take three quarters of the time.
    whole = re.sub(rb"INSERT INTO public\.long [^;]*;\n", b"", dumps[form].read_bytes())
    assert b"INSERT INTO public.long" not in whole
    path = tmp_path / "damaged.sql"
    path.write_bytes(DAMAGES[damage](whole))
    assert path.read_bytes() != whole
    all_ways(path)


def test_rows_alone_are_the_same(shops: Shops, dumps: dict[str, Path], all_ways: Ways) -> None:
    """Rows that conflict with those of tables that are full, and have keys, are left out alike."""
    path = shops.folder / "rows alone.sql"
    dump = dumps["conflicts"].read_bytes()
    first, end = (
        dump.index(b"\n--\n-- Data for Name"),
        dump.index(b"\n--\n-- Name: always_id_seq; Type: SEQUENCE SET"),
    )
    path.write_bytes(dump[: dump.index(b"\nCREATE ")] + dump[first:end])
    all_ways(path, schema=dumps["one row"])

"""What the reader makes of real dumps: names in any encoding, and rows that are announced."""

from __future__ import annotations

import io
import itertools
import re
from datetime import UTC
from pathlib import Path

import psutil
import pytest

from restore_drill.backups.model import CLIENT_ONLY, Contents
from restore_drill.backups.plaindump.codec import ALIASES, CODECS, UTF8, codec_of
from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.read import read_contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.model import Target
from tests.corpus import edits
from tests.corpus.healthy import HEALTHY
from tests.helpers.restoring import backup_of
from tests.helpers.shop import FORMATS, USUAL, Shops, fill_shop, pg_dump, quiet

NUMBERS = itertools.count()


def contents_of(path: Path) -> Contents:
    """What the backup at `path` holds."""
    return read_contents(as_backup(look_at(path, UTC)), path.parent, quiet)


def source(shops: Shops, script: str, major: int = 15, encoding: str = "UTF8") -> Target:
    """New database in which `script` was run."""
    name = f"contents_{next(NUMBERS)}"
    target = shops.database(major, name, encoding=encoding)
    fill_shop(target, script)
    return target


@pytest.fixture(scope="module")
def encoded(shops: Shops) -> dict[tuple[str, str], Target]:
    """Databases with names outside ASCII, by their script and encoding."""
    return {
        (name, encoding): source(shops, HEALTHY[name].script, 15, encoding)
        for name, encoding in (
            ("latin1", "LATIN1"), ("latin1", "WIN1252"), ("latin1", "SQL_ASCII"),
            ("latin1", "UTF8"), ("japanese", "EUC_JP"), ("japanese", "UTF8"),
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "database", "dumped"),
    [
        ("latin1", "LATIN1", ""), ("latin1", "LATIN1", "UTF8"), ("latin1", "WIN1252", ""),
        ("latin1", "UTF8", "LATIN1"), ("latin1", "UTF8", "WIN1250"), ("latin1", "SQL_ASCII", ""),
        ("latin1", "UTF8", "SQL_ASCII"), ("japanese", "EUC_JP", ""), ("japanese", "EUC_JP", "SJIS"),
        ("japanese", "UTF8", "EUC_JP"), ("japanese", "UTF8", "SJIS"),
        ("japanese", "UTF8", "SHIFT_JIS_2004"), ("japanese", "UTF8", "GB18030"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["plain.sql", "inserts.sql", "create.sql", "custom.dump"])
def test_names_are_read_in_the_dumps_own_encoding(
    form: str,
    name: str,
    database: str,
    dumped: str,
    encoded: dict[tuple[str, str], Target],
    tmp_path: Path,
) -> None:
    """Tables, sequences, triggers and schemas have their names, whatever a dump is written in."""
    options = [f"--encoding={dumped}"] if dumped else []
    path = pg_dump(encoded[name, database], tmp_path / form, *FORMATS[form], *options)

    contents = contents_of(path)

    assert not contents.faults
    assert contents.head.encoding == (dumped or database)
    objects = {(entry.kind, entry.full_name) for entry in contents.entries}
    if name == "japanese":
        assert contents.rows == {"ソース.表": 9, "public.能力": 9}
        assert {("SCHEMA", "ソース"), ("SEQUENCE", "ソース.番号")} <= objects
    else:
        assert contents.counted["public.größe"] == contents.counted["Lager für Öl.fässer"] == 20
        assert contents.counted["public.leer_ä"] == 0
        assert contents.switched_off == {"TRIGGER Lager für Öl.fässer.prüfung"}
        assert {("SEQUENCE", "Lager für Öl.zähler"), ("VIEW", "public.überblick")} <= objects


def test_codecs_are_those_of_the_server(shops: Shops) -> None:
    """Python reads letters of every script as the server writes them, in all its encodings."""
    target = source(
        shops,
        """CREATE FUNCTION written(text, name) RETURNS bytea LANGUAGE plpgsql AS
        $$BEGIN RETURN convert_to($1, $2); EXCEPTION WHEN others THEN RETURN NULL; END$$""",
    )
    letters = [
        chr(code)
        for code in (*range(0xC0, 0x530), *range(0x3041, 0x30F7), *range(0x4E00, 0xD7A0, 53))
        if chr(code).isalpha()
    ]
    with target.connect() as connection:
        known = {
            name
            for (name,) in connection.execute(
                "SELECT pg_encoding_to_char(number) FROM generate_series(0, 50) number"
            )
            if name
        }
        wrong = [
            (encoding, letter, written)
            for encoding in CODECS
            for letter, written in connection.execute(
                "SELECT letter, written(letter, %s) FROM unnest(%s::text[]) letter",
                [encoding, letters],
            )
            if written is not None and written.decode(codec_of(encoding), "replace") != letter
        ]
        servers = connection.execute(
            "SELECT name FROM unnest(%s::text[]) name WHERE pg_char_to_encoding(name) > 34",
            [list(CODECS)],
        )
        assert {name for (name,) in servers} == set(CLIENT_ONLY)

        aliases = {
            alias: pg_name
            for alias, pg_name in connection.execute(
                "SELECT name, pg_encoding_to_char(pg_char_to_encoding(name))"
                " FROM unnest(%s::text[]) name",
                [[*ALIASES, *(name.replace("WIN", "Windows-") for name in CODECS)]],
            )
            if pg_name
        }

    assert known - CODECS.keys() == {"SQL_ASCII", "EUC_TW", "MULE_INTERNAL"}
    assert wrong == []
    assert ALIASES.keys() <= aliases.keys()
    assert {name: codec_of(name) for name in aliases} == {
        name: CODECS[pg_name] for name, pg_name in aliases.items()
    }


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("LATIN1", "LATIN1"), ("latin1", "LATIN1"), ("win1252", "cp1252"), ("utf-8", "UTF8"),
     ("SQL_ASCII", UTF8), ("zlib_codec", UTF8), ("idna", UTF8), ("unicode_escape", UTF8),
     ("", UTF8), ("../x", UTF8)],
)  # fmt: skip
def test_only_encodings_of_the_server_have_a_codec(encoding: str, codec: str) -> None:
    """A dump cannot name any other of Python's codecs."""
    assert codec_of(encoding) == codec


@pytest.mark.parametrize(
    "setting",
    ["SET client_encoding = 'LATIN1'", "SET NAMES 'latin1'",
     "set session client_encoding to Latin1",
     "SELECT pg_catalog.set_config('client_encoding', 'iso-8859-1', false)",
     "SET client_encoding = 'UTF8'; SET NAMES 'KOI8'; RESET ALL; /* so */ SET NAMES LATIN1"],
)  # fmt: skip
def test_names_are_read_in_the_encoding_that_is_set(setting: str) -> None:
    """In whatever form the dump sets it, and the schema of a bare name too."""
    dump = f"{setting};\nSET schema 'caf\xe9';\nCREATE TABLE \xe9t\xe9 ();\n".encode("latin1")
    reader = Reader()

    reader.read(PlainReader(io.BytesIO(dump)).events())

    assert [entry.full_name for entry in reader.parts.current.created] == ["caf\xe9.\xe9t\xe9"]


FEATURES = """
CREATE TABLE empty_one (a integer);
CREATE TABLE full_one (a integer);
CREATE TABLE no_columns ();
CREATE TABLE only_generated (b integer GENERATED ALWAYS AS (1) STORED);
CREATE TABLE lost_columns (a integer);
CREATE TABLE parts (a integer) PARTITION BY RANGE (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
CREATE TABLE without_parts (a integer) PARTITION BY RANGE (a);
CREATE UNLOGGED TABLE unlogged (a integer);
CREATE TABLE parent (a integer);
CREATE TABLE child () INHERITS (parent);
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM full_one;
CREATE MATERIALIZED VIEW unpopulated AS SELECT 1 AS a WITH NO DATA;
CREATE VIEW seen AS SELECT * FROM full_one;
CREATE SEQUENCE counter;
CREATE EXTENSION postgres_fdw;
CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '{host}', port '{port}', dbname '{dbname}');
CREATE USER MAPPING FOR CURRENT_USER SERVER here OPTIONS (user '{user}', password_required 'false');
CREATE FOREIGN TABLE far (a integer) SERVER here OPTIONS (table_name 'full_one');
CREATE FOREIGN TABLE far_empty (a integer) SERVER here OPTIONS (table_name 'empty_one');
INSERT INTO full_one VALUES (1);
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO only_generated DEFAULT VALUES;
INSERT INTO lost_columns VALUES (1);
ALTER TABLE lost_columns DROP COLUMN a;
INSERT INTO parts VALUES (1);
SELECT lo_from_bytea(0, 'x');
"""
OPTIONS = [
    (), ("--load-via-partition-root",), ("--exclude-table-data=full_one",), ("--data-only",),
    ("--data-only", "--disable-triggers"), ("--section=data",), ("--schema-only",),
    ("--include-foreign-data=here",), ("--quote-all-identifiers",), ("--table=empty_one",),
    ("--no-unlogged-table-data",), ("--verbose",), ("--clean", "--if-exists"), ("--inserts",),
    ("--rows-per-insert=3",), ("--inserts", "--include-foreign-data=here"),
    ("--inserts", "--load-via-partition-root"), ("--inserts", "--table=empty_one"),
]  # fmt: skip


def own_address(target: Target) -> dict[str, str]:
    """Where the server of `target` finds itself, which may see its socket elsewhere than we do."""
    with target.connect() as connection:
        row = connection.execute("SELECT current_setting('unix_socket_directories')").fetchone()
    return {"host": str(row[0] if row else "")}


@pytest.fixture(scope="module")
def featured(shops: Shops) -> dict[int, Target]:
    """Databases with everything that has rows or seems to, by major version."""
    found = {}
    for major in (15, 18):
        found[major] = source(shops, "", major)
        fill_shop(
            found[major], FEATURES.format(**found[major].conninfo | own_address(found[major]))
        )
    return found


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("major", [15, 18])
def test_announced_rows_are_there(
    major: int, options: tuple[str, ...], featured: dict[int, Target], tmp_path: Path
) -> None:
    """No dump by pg_dump lacks rows that it announces, whatever its options."""
    for form in ("plain.sql", "custom.dump", "archive.tar" if major == 18 else "directory"):
        path = pg_dump(featured[major], tmp_path / form, *FORMATS[form], *options)

        assert contents_of(path).faults == ()


HEADING = re.compile(rb"-- Data for Name: (.*); Type: TABLE DATA; ")


@pytest.mark.parametrize(
    "options",
    [(), ("--load-via-partition-root",), ("--data-only", "--disable-triggers")],
    ids=" ".join,
)
def test_lost_copy_is_a_fault(
    options: tuple[str, ...], featured: dict[int, Target], tmp_path: Path
) -> None:
    """A COPY that is cut out is reported with its table and its heading's line, empty or not."""
    whole = pg_dump(featured[15], tmp_path / "whole.sql", *options).read_bytes()
    headings = [*HEADING.finditer(whole)]
    assert len(headings) == 10
    for heading in headings:
        name, place = heading[1].decode(), heading.start()
        line = whole.count(b"\n", 0, place) + 1
        damaged = tmp_path / "damaged.sql"
        damaged.write_bytes(whole[:place] + edits.without_copy(rb"public\.\S+")(whole[place:]))

        contents = contents_of(damaged)

        told, readable = contents.faults[:2]
        assert told.startswith(f"line {line}: the rows of public.{name} are missing")
        assert f"public.{name} " not in readable
        assert f"public.{name}" not in contents.counted


def test_each_dump_in_a_file_is_taken_by_itself(
    featured: dict[int, Target], tmp_path: Path
) -> None:
    """Beside a dump with COPY one with INSERTs may announce an empty table."""
    one = pg_dump(featured[15], tmp_path / "one.sql", "--table=full_one")
    two = pg_dump(featured[15], tmp_path / "two.sql", "--table=empty_one", "--inserts")
    both = tmp_path / "both.sql"
    both.write_bytes(one.read_bytes() + two.read_bytes())

    assert contents_of(both).faults == ()


def test_a_pg_restore_that_is_killed_is_no_damage(shops: Shops, tmp_path: Path) -> None:
    """The kernel ends what takes most memory: nothing is known of the backup then."""
    rows = "CREATE TABLE t AS SELECT md5(n::text) FROM generate_series(1, 60000) n"
    path = pg_dump(source(shops, rows), tmp_path / "shop.dump", "--format=custom")

    def kill(_text: str) -> None:
        for each in psutil.Process().children():
            if each.name() == "pg_restore":
                each.kill()

    with pytest.raises(CouldNotRun, match="pg_restore was ended by signal 9"):
        read_contents(as_backup(look_at(path, UTC)), tmp_path, kill)


@pytest.mark.parametrize("suffix", ["gz", "lz4", "zst"])
def test_what_follows_a_compressed_dump_is_named(suffix: str, shops: Shops, tmp_path: Path) -> None:
    """Not as if the stream were cut, and without a byte of it."""
    path = tmp_path / f"shop.sql.{suffix}"
    path.write_bytes(shops.dump(USUAL, f"plain.sql.{suffix}").read_bytes() + b"secret words")

    fault = read_contents(backup_of(path), tmp_path, quiet).faults[0]

    assert fault.endswith(
        "cannot be read to the end: something that is not compressed follows its end"
    )

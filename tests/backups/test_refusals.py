"""What no pg_dump writes and reaches beyond the database is refused; what people write is not."""

from __future__ import annotations

import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.faults import MOST
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.refusals import refusal
from restore_drill.core.errors import CouldNotRun
from restore_drill.restore.plain import restore_plain
from tests.corpus.judge import read_backup, settings_with
from tests.helpers.shop import FORMATS, SHOP, Shops, quiet

REFUSED = {
    "COPY t FROM PROGRAM 'id';": "COPY FROM PROGRAM",
    "COPY t TO PROGRAM 'cat > /tmp/x';": "COPY TO PROGRAM",
    'COPY"t"FROM PROGRAM $$id$$;': "COPY FROM PROGRAM",
    "copy t (a, \"from\") from /* stdin */ program E'id';": "COPY FROM PROGRAM",
    "/* one /* nested */ two */ COPY -- three\n t FROM\nprogram 'id';": "COPY FROM PROGRAM",
    "COPY public.t TO '/tmp/x';": "COPY TO other than stdin or stdout",
    "COPY t FROM U&'/etc/passwd';": "COPY FROM other than stdin or stdout",
    "COPY t FROM '/etc/passwd' WITH (NULL ' from stdin ');\n\\.\n": "COPY FROM other than",
    "COPY (SELECT 1) TO STDOUT;": "COPY of a query",
    "COPY (SELECT ')') TO PROGRAM 'id';": "COPY of a query",
    "COPY t TO STDOUT (NULL 'x from stdin ');\n1\n\\.\n": "COPY in a form",
    "COPY U&\"\\0074\" FROM PROGRAM 'id';": "COPY of a query other than",
    "ALTER SYSTEM SET archive_command = 'id';": "ALTER SYSTEM",
    "alter/**/system reset all;": "ALTER SYSTEM",
    "LOAD '/tmp/evil.so';": "LOAD",
    "LOAD '$libdir/../../tmp/evil';": "LOAD",
    "LOAD E'\\057tmp/evil';": "LOAD",
    "SET SESSION dynamic_library_path = '/tmp';": "dynamic_library_path with a path",
    "ALTER ROLE r SET session_preload_libraries = '$libdir/ok, /tmp/x';": "session_preload",
    "SELECT set_config('local_preload_libraries', '../x', false);": "local_preload_libraries",
    "CREATE SUBSCRIPTION s CONNECTION 'host=evil connect = false' PUBLICATION p;": "CREATE SUBSC",
    "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = true);": "CREATE SUBSC",
    "ALTER SUBSCRIPTION s ENABLE;": "ALTER SUBSCRIPTION",
    "ALTER SUBSCRIPTION \"s\" CONNECTION 'host=evil';": "ALTER SUBSCRIPTION",
    "ALTER SUBSCRIPTION s SET PUBLICATION p;": "ALTER SUBSCRIPTION",
    "IMPORT FOREIGN SCHEMA public FROM SERVER s INTO public;": "IMPORT FOREIGN SCHEMA",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/tmp/evil.so', 'f';": "a function in C",
    'CREATE OR REPLACE FUNCTION f() RETURNS int AS $$../evil$$ LANGUAGE/**/"c";': "a function",
    "CREATE FUNCTION f() RETURNS int AS '/tmp/evil' LANGUAGE U&\"\\0063\";": "a function in C",
    "SELECT pg_read_file('/etc/passwd');": "a call of pg_read_file",
    "SELECT pg_catalog.\"pg_read_binary_file\" /* x */ ('/x');": "a call of pg_read_binary_file",
    "SELECT U&\"pg\\005fread_file\"('/x');": "Unicode escapes",
    "DO $$ BEGIN PERFORM U&\"pg\\005fread_file\"('/x'); END $$;": "Unicode escapes",
    "(SELECT lo_import('/etc/passwd'));": "a call of lo_import",
    "WITH x AS (SELECT lo_export(1, '/tmp/x')) SELECT * FROM x;": "a call of lo_export",
    "INSERT INTO t (a) SELECT PG_LS_DIR('/');": "a call of pg_ls_dir",
    "CREATE TABLE t AS SELECT * FROM dblink('host=evil', 'SELECT 1') AS r (a int);": "dblink",
    "DO $$ BEGIN PERFORM dblink_connect('host=evil'); END $$;": "a call of dblink_connect",
    "SELECT query_to_xml('SELECT pg_read_file(''/x'')', true, true, '');": "pg_read_file",
    "EXPLAIN ANALYZE SELECT pg_stat_file('/x');": "a call of pg_stat_file",
}
ALLOWED = """
COPY public."U&""x" (id) FROM stdin;
\\.
INSERT INTO "aU&""x" SELECT 'U&"y"';
SET search_path = public, pg_catalog;
SELECT pg_catalog.set_config('search_path', '', false);
SELECT set_config('app.tenant', 'a/b', false);
COPY t (a, "b c") FROM STDIN WITH (FORMAT csv, HEADER);
1,2
\\.
COPY public."to" FROM stdin;
\\.
COPY t TO STDOUT;
LOAD 'age';
LOAD '$libdir/plugins/auto_explain';
ALTER ROLE r SET session_preload_libraries = 'supautils, $libdir/plugins/safeupdate';
ALTER ROLE r SUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a/b==';
ALTER DATABASE d SET search_path TO 'a/b';
CREATE SUBSCRIPTION s CONNECTION 'host=a' PUBLICATION p WITH (connect = false, slot_name = 's');
ALTER SUBSCRIPTION s OWNER TO r;
ALTER SUBSCRIPTION s SET (origin = none);
CREATE FUNCTION f() RETURNS int LANGUAGE c STRICT AS '$libdir/hstore', 'hstore_in';
CREATE FUNCTION f() RETURNS int AS 'hstore', 'f' LANGUAGE 'c';
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN pg_read_file('/a/b'); END $$;
CREATE FUNCTION f(c text DEFAULT 'language c as ''/x''') RETURNS text LANGUAGE sql AS 'SELECT 1/2';
CREATE FUNCTION f() RETURNS text LANGUAGE plperl AS 'return "a/b";';
CREATE VIEW v AS SELECT pg_ls_dir('.');
CREATE TABLE t (a text DEFAULT pg_read_file('x'), b int GENERATED ALWAYS AS (1) STORED);
CREATE TABLE s AS SELECT 1 AS dblink;
INSERT INTO t VALUES ('dblink(''x'')', 'U&"');
INSERT INTO "odd (name" ("c(1", b) VALUES ('pg_read_file(''x'')');
INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES ('lo_export(1)');
INSERT INTO t DEFAULT VALUES;
INSERT INTO t SELECT n, 'x/y' FROM generate_series(1, 3) n;
DO $$ BEGIN IF NOT EXISTS (SELECT 1) THEN CREATE TYPE e AS ENUM ('a/b'); END IF; END $$;
SELECT setval('s', 1), create_hypertable('t', 'at'), cron.schedule('0 * * * *', 'SELECT 1');
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'x';
UPDATE t SET dblink = 1, note = 'we use dblink / lo_import here';
UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = 'template1';
CREATE USER MAPPING FOR r SERVER s OPTIONS (user 'x', password 'y');
VACUUM; ANALYZE; CHECKPOINT; REINDEX SYSTEM d; NOTIFY x; BEGIN; COMMIT;
"""


def read(script: bytes) -> Reader:
    """Reader of a dump that is `script`."""
    reader = Reader()
    reader.read(PlainReader(BytesIO(script)).events())
    reader.check_end()
    return reader


@pytest.mark.parametrize("statement", REFUSED)
def test_refused(statement: str) -> None:
    """Each is reported with its line, what it is and what it does, without its text."""
    (fault, *more) = read(f"SELECT 1;\n\n{statement}\nSELECT 2;\n".encode()).faults

    assert fault.startswith("line 3: ")
    assert REFUSED[statement] in fault
    assert fault.endswith("; pg_dump never writes it; refused")
    assert "evil" not in fault
    assert "/tmp" not in fault  # noqa: S108
    assert more == []


def test_allowed() -> None:
    """What pg_dump, pg_dumpall and people write is restored."""
    assert read(ALLOWED.encode()).faults == []


@pytest.mark.parametrize("form", [form for form in FORMATS if form.endswith(".sql")])
def test_own_dumps_are_allowed(form: str, shops: Shops) -> None:
    """Nothing that pg_dump writes is refused."""
    assert read(shops.dump(15, form).read_bytes()).faults == []
    assert read(SHOP.encode()).faults == []


def test_no_more_than_some_are_reported() -> None:
    """A dump full of them is reported in a few lines."""
    faults = read(b"ALTER SYSTEM RESET ALL;\n" * (MOST + 5)).faults

    assert len(faults) == MOST + 1
    assert faults[-1] == "and 5 more like it; refused"


@pytest.mark.parametrize(
    "piece",
    [
        b"'",
        b"''",
        b"$",
        b"$a",
        b"/*",
        b"*/",
        b'U&"',
        b"E'",
        b"\\",
        b'"',
        b"(",
        b"lo_",
        b"language ",
    ],
)
@pytest.mark.parametrize("opening", [b"SELECT ", b"CREATE FUNCTION ", b"COPY ", b"INSERT INTO t "])
def test_judging_is_linear(opening: bytes, piece: bytes) -> None:
    """The time for a statement grows with its bytes, whatever they are."""
    started = time.process_time()
    refusal(opening + piece * (100_000 // len(piece)) + b" language c;")

    assert time.process_time() - started < 2


SMUGGLED = rb"""
CREATE TABLE public.t (line text);
BEGIN; SET standard_conforming_strings = off; ROLLBACK;
SELECT '\'; COPY public.t FROM PROGRAM 'echo smuggled'; --';
SELECT 2;
"""
"""What is one statement where a backslash quotes, and two where it does not."""


def test_nothing_is_smuggled_in_a_statement(shops: Shops, tmp_path: Path) -> None:
    """The restore ends where the server reads on otherwise, before the next statement."""
    path = tmp_path / "dump.sql"
    path.write_bytes(SMUGGLED)
    facts = read_backup(path, tmp_path, settings_with())
    assert facts["contents"].faults == (), "the reader does not see it"
    target = replace(shops.database(15, "smuggled"), isolated=False)

    with pytest.raises(CouldNotRun, match="what a backslash means"):
        restore_plain(target, facts["backup"], facts["contents"], quiet)

    with target.connect() as connection:
        assert connection.execute("SELECT count(*) FROM public.t").fetchone() == (0,)

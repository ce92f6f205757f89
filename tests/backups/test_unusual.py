"""What a live server is not given: statements that no pg_dump writes and that may run any code."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.unusual import unusual
from restore_drill.core.errors import CouldNotRun
from restore_drill.restore.strict import refuse_unusual
from tests.corpus.healthy import HEALTHY
from tests.corpus.judge import read_backup, settings_with
from tests.corpus.lab import Lab
from tests.helpers.shop import FORMATS, Shops, fill_shop, pg_dump, quiet

UNUSUAL = {
    "DO $$ BEGIN PERFORM 1; END $$;": "DO",
    "do language plpgsql 'BEGIN END';": "DO",
    "CALL p();": "CALL",
    "/* INSERT INTO t VALUES (1); */ CALL p();": "CALL",
    "SELECT f();": "SELECT of other",
    "SELECT public.set_config('a', 'b', false);": "SELECT of other",
    "SELECT set_config('a', 'b', false);": "SELECT of other",
    "SELECT pg_catalog.pg_terminate_backend(1);": "SELECT of other",
    "SELECT pg_catalog.setval('s', public.f());": "SELECT of other",
    "SELECT pg_catalog.setval('s', \"f\" (1));": "SELECT of other",
    "SELECT * FROM public.v;": "SELECT of other",
    "SELECT 1 INTO t;": "SELECT of other",
    "SELECT pg_catalog.set_config('a', 'b', false) FROM v;": "SELECT of other",
    "SELECT 'a' OPERATOR(public.!!) 'b';": "SELECT of other",
    "(SELECT f());": "a statement",
    "WITH x AS (SELECT f()) SELECT 1;": "WITH",
    "VALUES (f());": "VALUES",
    "TABLE v;": "TABLE",
    "INSERT INTO t SELECT f();": "INSERT of something",
    "INSERT INTO t (SELECT f());": "INSERT of something",
    "INSERT INTO t TABLE v;": "INSERT of something",
    "INSERT INTO t (a) VALUES (f());": "INSERT of something",
    "INSERT INTO t (a) VALUES ('x'), (f ('y'));": "INSERT of something",
    "INSERT INTO t VALUES ((SELECT f()));": "INSERT of something",
    "INSERT INTO t VALUES (1 -- '\n, f(1)) --';\n;": "INSERT of something",
    "INSERT INTO t VALUES (1) RETURNING f();": "INSERT of something",
    "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = f();": "INSERT of something",
    "INSERT INTO t VALUES (1) ON CONFLICT (f()) DO NOTHING;": "INSERT of something",
    "INSERT INTO t AS x VALUES (E'\\'', f(), '');": "INSERT of something",
    "UPDATE t SET a = f();": "UPDATE",
    "DELETE FROM t WHERE f();": "DELETE",
    "MERGE INTO t USING v ON f() WHEN MATCHED THEN DELETE;": "MERGE",
    "PREPARE x AS SELECT f();": "PREPARE",
    "PREPARE TRANSACTION 'x';": "PREPARE",
    "COMMIT PREPARED 'x';": "COMMIT PREPARED",
    "EXECUTE x;": "EXECUTE",
    "EXPLAIN ANALYZE SELECT f();": "EXPLAIN",
    "DECLARE c CURSOR FOR SELECT f();": "DECLARE",
    "COPY t TO STDOUT;": "COPY of something",
    "COPY (SELECT f()) TO STDOUT;": "COPY of something",
    "COPY t FROM stdin WHERE f();\n\\.\n": "COPY with a condition",
    "CREATE TABLE t AS SELECT f();": "CREATE TABLE AS",
    "CREATE UNLOGGED TABLE IF NOT EXISTS t (a) AS SELECT f();": "CREATE TABLE AS",
    "CREATE TEMP TABLE t AS EXECUTE x;": "CREATE TABLE AS",
    "CREATE SCHEMA s CREATE TABLE t (a int);": "CREATE SCHEMA with more",
    "DROP OWNED BY r;": "DROP OWNED",
    "REASSIGN OWNED BY r TO x;": "REASSIGN",
    "NOTIFY x;": "NOTIFY",
    "LOCK TABLE t;": "LOCK",
    "LOAD 'age';": "LOAD",
    "DROP /**/ DATABASE a, b;": "a statement about other databases",
    "GRANT ALL ON DATABASE a, b TO r;": "a statement about other databases",
    "/* x */ CREATE/* /* y */ */ROLE r SUPERUSER;": "a statement about roles",
    'CREATE--\nUSER"r"SUPERUSER;': "a statement about roles",
    'alter\fgroup"r"add user x;': "a statement about roles",
    'GRANT"pg_execute_server_program"TO r;': "a statement about roles",
    "REVOKE INHERIT OPTION FOR a FROM b;": "a statement about roles",
    "SECURITY LABEL FOR 'p' ON ROLE r IS 'x';": "a statement about roles",
    "COMMENT/**/ON TABLESPACE x IS 'y';": "a statement about tablespaces",
    "GRANT SET ON PARAMETER work_mem TO r;": "a statement about settings of the server",
    "SELECT 'x'::public.d;": "SELECT of other",
    "SELECT 1 @@@ 2;": "SELECT of other",
    "SELECT c.f FROM pg_catalog.pg_class c;": "SELECT of other",
    "SELECT pg_catalog.set_config('dynamic_library'||'_path', '/tm'||'p', false);": "SELECT of",
    "SELECT pg_catalog.set_config(E'allow\\x5fsystem_table_mods', 'on', false);": "SELECT of other",
    "INSERT INTO t VALUES (1 @@@ 2);": "INSERT of something",
    "INSERT INTO t VALUES ('x'::public.d, 2), (1, 2);": "INSERT of something",
    "INSERT INTO t VALUES (1, x - y);": "INSERT of something",
    "COPY pg_catalog.pg_authid (oid) FROM stdin;\n\\.\n": "COPY into the system catalog pg_authid",
    'COPY/**/"pg_catalog" . pg_proc FROM stdin;\n\\.\n': "COPY into the system catalog pg_proc",
    "COPY pg_authid FROM stdin;\n\\.\n": "COPY into the system catalog pg_authid",
    "INSERT INTO pg_catalog.pg_database VALUES (1);": "INSERT into the system catalog pg_database",
    'insert--\ninto"pg_db_role_setting"VALUES (0, 0, NULL);': "INSERT into the system catalog",
    "SET allow_system_table_mods = on;": "allow_system_table_mods",
    "ALTER ROLE r IN DATABASE d SET allow_system_table_mods = 'on';": "allow_system_table_mods",
    "ALTER TABLE t ALTER COLUMN a TYPE text USING f();": "ALTER TABLE that rewrites",
    "ALTER TABLE ONLY s.t ALTER a SET DATA TYPE text USING f();": "ALTER TABLE that rewrites",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY, ADD b text DEFAULT f();": "ALTER TABLE that rewrites",
    'ALTER TABLE "s"."t" ADD COLUMN "check" text DEFAULT f();': "ALTER TABLE that rewrites",
    'ALTER DATABASE U&"\\0061" SET work_mem = 1;': "a name in Unicode escapes",
    'ALTER TABLE u&"t" OWNER TO a;': "a name in Unicode escapes",
}
USUAL = """
SET search_path = public, pg_catalog;
SELECT pg_catalog.set_config('search_path', '', false);
SELECT pg_catalog.setval('public.f()_id_seq', 5, true);
SELECT pg_catalog.lo_create('16402');
SELECT CASE WHEN EXISTS(SELECT 1 FROM pg_catalog.pg_largeobject_metadata WHERE oid = '16402')
    THEN pg_catalog.lo_unlink('16402') END;
SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '16402';
BEGIN;
SELECT pg_catalog.lo_open('16402', 131072);
SELECT pg_catalog.lowrite(0, '\\x6c697665');
SELECT pg_catalog.lo_close(0);
COMMIT;
SELECT * FROM pg_catalog.pg_restore_relation_stats('version', '180000'::integer,
    'schemaname', 'public', 'relname', 't', 'relpages', '1'::integer);
SELECT * FROM pg_catalog.pg_restore_attribute_stats('attname', 'a', 'null_frac', '0'::real);
INSERT INTO public.t VALUES (1, -2.5e3, NULL, true, 'f(1)', B'101', E'a\\'b(', DEFAULT);
INSERT INTO "odd (t" ("select", b) OVERRIDING SYSTEM VALUE VALUES ('it''s', 2);
INSERT INTO t VALUES
    (1, 'select f()'),
    (2, '-- x')
ON CONFLICT DO NOTHING;
INSERT INTO t DEFAULT VALUES;
COPY public.t (a, "where") FROM stdin;
1\t2
\\.
CREATE TABLE t (a int GENERATED ALWAYS AS (f()) STORED, b text DEFAULT f()) WITH (fillfactor='70');
CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (2);
CREATE SCHEMA s;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT pg_terminate_backend(1) $$;
CREATE VIEW v AS SELECT f();
CREATE MATERIALIZED VIEW m AS SELECT f() WITH NO DATA;
CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTIFY x;
CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false, slot_name = 's');
REFRESH MATERIALIZED VIEW m;
ALTER TABLE ONLY t ADD CONSTRAINT c CHECK (f() > 0);
ALTER TABLE ONLY public.add ALTER COLUMN type SET DEFAULT 'x'::public.d;
ALTER TABLE public.type ALTER COLUMN add ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 1);
ALTER TABLE ONLY t ALTER COLUMN data SET STATISTICS 100, ALTER type SET NOT NULL;
INSERT INTO pg_user_list VALUES (-1.5e-7, 'a''b', N'x');
INSERT INTO public.pg_database VALUES (1);
COPY pg_stock (a) FROM stdin;
\\.
DROP TABLE IF EXISTS t;
GRANT SELECT ON TABLE t TO r;
SECURITY LABEL FOR x ON TABLE t IS 'y';
COMMENT ON TABLE t IS 'DO';
GRANT SELECT(a, "on database") ON TABLE t TO "on";
CREATE USER MAPPING FOR r SERVER s; ALTER USER MAPPING FOR r SERVER s OPTIONS (SET a 'b');
ALTER DEFAULT PRIVILEGES FOR ROLE r IN SCHEMA public GRANT SELECT ON TABLES TO x;
COMMENT ON COLUMN t."user" IS 'ROLE U&"x"';
ALTER DATABASE a SET work_mem TO '8MB';
GRANT CONNECT,TEMPORARY ON DATABASE a TO r;
ANALYZE; VACUUM ANALYZE t; TRUNCATE t; RESET ALL;
"""
MANY_ALIKE = ("large_schema", "many_partitions", "many_tables")
"""Databases that take long to make and have nothing odd."""


@pytest.mark.parametrize("statement", UNUSUAL)
def test_unusual(statement: str) -> None:
    """Each is named by what it is, without its text."""
    (event, *_) = PlainReader(BytesIO(f"{statement}\n".encode())).events()
    assert isinstance(event, Statement)

    assert unusual(event.sql).startswith(UNUSUAL[statement])
    assert "pg_dump never writes" in unusual(event.sql)


def test_usual() -> None:
    """What pg_dump writes, whatever its options, and what does no harm."""
    events = PlainReader(BytesIO(USUAL.encode())).events()
    statements = [event.sql for event in events if isinstance(event, Statement)]

    assert len(statements) > 30
    assert {sql: unusual(sql) for sql in statements if unusual(sql)} == {}


@pytest.mark.parametrize("form", FORMATS)
def test_own_dumps_are_usual(form: str, shops: Shops, tmp_path: Path) -> None:
    """Nothing that pg_dump writes of the shop is refused, in any format."""
    facts = read_backup(shops.dump(15, form), tmp_path, settings_with())

    refuse_unusual(shops.source(15), facts["backup"], facts["contents"], quiet)


def test_dumps_of_unusual_databases_are_usual(shops: Shops, tmp_path: Path) -> None:
    """Nothing that pg_dump writes of databases with oddities is refused; INSERTs are read too."""
    lab = Lab(shops, tmp_path)
    names = [name for name in HEALTHY if not HEALTHY[name].needs and name not in MANY_ALIKE]
    for number, name in enumerate(names):
        path = tmp_path / f"{number}.sql"
        pg_dump(lab.source(name), path, "--clean", "--if-exists", "--rows-per-insert=3")
        events = PlainReader(BytesIO(path.read_bytes())).events()
        found = {unusual(event.sql) for event in events if isinstance(event, Statement)}
        assert found == {""}, name


def test_a_dropped_subscription_is_refused_behind_its_making(shops: Shops, tmp_path: Path) -> None:
    """It would reach its publisher; what --clean drops, before all is made, is there no more."""
    source = shops.database(15, "with_subscription")
    fill_shop(source, "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere.invalid' PUBLICATION p"
                      " WITH (connect = false, slot_name = 's')")  # fmt: skip
    path = pg_dump(source, tmp_path / "backup.sql", "--clean", "--if-exists")
    with source.connect() as connection:
        connection.execute("ALTER SUBSCRIPTION s SET (slot_name = NONE)")
        connection.execute("DROP SUBSCRIPTION s")
    assert "DROP SUBSCRIPTION" in path.read_text()
    facts = read_backup(path, tmp_path, settings_with())
    refuse_unusual(source, facts["backup"], facts["contents"], quiet)

    end = "--\n-- PostgreSQL database dump complete"
    path.write_text(path.read_text().replace(end, "DROP SUBSCRIPTION s;\n" + end))
    facts = read_backup(path, tmp_path, settings_with())
    with pytest.raises(CouldNotRun, match=r"line \d+: DROP SUBSCRIPTION after a CREATE"):
        refuse_unusual(source, facts["backup"], facts["contents"], quiet)

"""Backups with a manifest, of the shop and a role without rights."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.servers.model import Target
from tests.helpers.drills import ROOT, command, inherited
from tests.helpers.shop import quiet
from tests.helpers.warm import Kept

SECRET = "p@ss:w/rd#1"


IN_URL = "p%40ss%3Aw%2Frd%231"


ROLES = f"""
DO $$ BEGIN
    CREATE ROLE saver LOGIN SUPERUSER PASSWORD '{SECRET}';
    CREATE ROLE restricted LOGIN PASSWORD '{SECRET}';
EXCEPTION WHEN duplicate_object THEN END $$;
"""


ODDITIES = """
CREATE SCHEMA odd;
CREATE TYPE odd.pair AS (a int, b text);
CREATE DOMAIN odd.short AS varchar(10) CHECK (VALUE IN ('a', 'b'));
CREATE TABLE odd.kinds AS SELECT
    77::oid AS o, '77'::xid AS x, '16/B374D848'::pg_lsn AS lsn, 'pg_class'::regclass AS class,
    'version'::regproc AS unstable, 'b'::"char" AS byte, '{"a" : 1.0}'::json AS json,
    '{"b": 1.10}'::jsonb AS jsonb, '(1.1,2)'::point AS point, 'a:1A b:2'::tsvector AS words,
    B'101'::bit(3) AS bits, 0.1::float4 AS f4, 0.1::float8 + 0.2 AS f8, 1.00 AS n,
    '12.5'::money AS money, '2024-03-31 02:30+02'::timestamptz AS at, '1 mon -3 days'::interval
        AS i, '[1,5)'::int4range AS r, '{[1,2)}'::int4multirange AS mr, '\\xdead'::bytea AS raw,
    ROW(1, NULL)::odd.pair AS pair, ARRAY['x', NULL] AS list, 'a'::odd.short AS short,
    ROW(NULL, NULL)::odd.pair AS nulls, 'ab'::char(5) AS padded;
CREATE TABLE odd.checked (
    status varchar(9) DEFAULT 'new' CHECK (status IN ('new', 'old')),
    amount numeric CHECK (amount BETWEEN 1 AND 9 AND amount <> 5)
);
CREATE INDEX ON odd.checked (amount) WHERE status IN ('new', 'old');
CREATE VIEW odd.seen AS SELECT status IN ('new', 'old') AS known FROM odd.checked
    WHERE EXISTS (SELECT 'x' UNION SELECT 'y');
CREATE FUNCTION odd.body(v varchar) RETURNS text LANGUAGE sql
    BEGIN ATOMIC SELECT 'x' WHERE v IN ('a', 'b'); END;
CREATE TABLE odd.parent (a int NOT NULL);
CREATE TABLE odd.child (z int) INHERITS (odd.parent);
ALTER TABLE odd.parent ADD COLUMN b text DEFAULT 'b';
INSERT INTO odd.child VALUES (1, 2), (3, 4);
CREATE TABLE odd.nothing ();
INSERT INTO odd.nothing DEFAULT VALUES;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA odd GRANT SELECT ON TABLES TO shop_reader;
CREATE PUBLICATION odd_news FOR TABLE odd.checked;
GRANT ALL ON odd.parent TO shop_reader WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION odd.body FROM PUBLIC;
GRANT SELECT (z) ON odd.child TO shop_reader;
CREATE FUNCTION odd.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER odd_watch ON ddl_command_end EXECUTE FUNCTION odd.watch();
ALTER EVENT TRIGGER odd_watch DISABLE;
"""
"""What PostgreSQL writes otherwise after a restore, and values whose text depends on settings."""


def url_of(target: Target, role: str = "saver") -> str:
    """DATABASE_URL of `target`, with a password that needs percent-encoding."""
    host = target.conninfo["host"].replace("/", "%2F")
    port, name = target.conninfo["port"], target.conninfo["dbname"]
    return f"postgresql://{role}:{IN_URL}@{host}:{port}/{name}"


def backup_process(target: Target, folder: Path, *options: str, role: str = "saver") -> Kept:
    """`python -m drill backup` of `target` into `folder`, running."""
    return Kept(
        ["drill", "backup", f"--output-dir={folder}", *options],
        cwd=ROOT, env=inherited() | {"DATABASE_URL": url_of(target, role)},
    )  # fmt: skip


def take(target: Target, folder: Path, *options: str) -> Path:
    """Path of a backup of `target` that was taken into `folder`."""
    done = command("backup", f"--output-dir={folder}", *options, DATABASE_URL=url_of(target))
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert SECRET not in output and IN_URL not in output
    (manifest,) = folder.glob("*.manifest.json")
    return folder / manifest.name.removesuffix(".manifest.json")


def restore(target: Target, script: bytes) -> None:
    """Restore a plain dump with psql."""
    subprocess.run(
        [target.binaries.tool("psql"), "-qX", "-v", "ON_ERROR_STOP=1"],
        env=target.tool_environment, input=script, check=True, capture_output=True,
    )  # fmt: skip


def fingerprint(target: Target) -> Fingerprint:
    """What the database of `target` is."""
    return read_fingerprint(target, 2, quiet)


def stamp(age: float) -> str:
    """Time in a backup's name, `age` seconds ago."""
    return time.strftime("%Y%m%d_%H%M%S", time.gmtime(time.time() - age))

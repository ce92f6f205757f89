"""pg_dumpall's output: one database in it is drilled, several are refused, a cut is noticed."""

from __future__ import annotations

import functools
import itertools
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump, require_major

TABLE = "CREATE TABLE a (i int); INSERT INTO a VALUES (1)"

CLUSTER = """
CREATE ROLE app; CREATE ROLE "Odd; ""role" LOGIN; CREATE ROLE chief SUPERUSER; CREATE ROLE hand;
GRANT app TO hand WITH ADMIN OPTION;
SET ROLE hand; GRANT app TO "Odd; ""role"; RESET ROLE;
ALTER ROLE app SET search_path TO shop, public;
ALTER ROLE postgres SET statement_timeout TO '5s';
COMMENT ON ROLE app IS 'the application';
CREATE SCHEMA shop AUTHORIZATION app;
CREATE TABLE shop.cards (id integer PRIMARY KEY) TABLESPACE "fast disk";
CREATE INDEX on_disk ON shop.cards (id) TABLESPACE "fast disk";
ALTER TABLE shop.cards OWNER TO app;
INSERT INTO shop.cards SELECT generate_series(1, 7);
CREATE POLICY few ON shop.cards FOR SELECT TO "Odd; ""role", app USING (id > 0);
GRANT SELECT ON shop.cards TO hand WITH GRANT OPTION;
SET ROLE hand; GRANT SELECT ON shop.cards TO "Odd; ""role"; RESET ROLE;
ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA shop GRANT SELECT ON TABLES TO hand;
CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER told ON ddl_command_end EXECUTE FUNCTION told();
ALTER EVENT TRIGGER told OWNER TO chief;
CREATE FOREIGN DATA WRAPPER far; ALTER FOREIGN DATA WRAPPER far OWNER TO chief;
CREATE SERVER there FOREIGN DATA WRAPPER far;
CREATE USER MAPPING FOR app SERVER there OPTIONS (login 'x');
CREATE PUBLICATION everything FOR ALL TABLES; ALTER PUBLICATION everything OWNER TO chief;
CREATE SUBSCRIPTION news CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false);
ALTER SUBSCRIPTION news OWNER TO chief;
"""
"""What belongs to a server, and what only a superuser can own, of one database with tables."""

OF_DATABASE = """
ALTER DATABASE {0} OWNER TO app;
ALTER DATABASE {0} SET work_mem TO '9MB';
ALTER DATABASE {0} SET statement_timeout TO '5s';
ALTER ROLE app IN DATABASE {0} SET work_mem TO '8MB';
ALTER ROLE ALL IN DATABASE {0} SET default_transaction_read_only TO on;
COMMENT ON DATABASE {0} IS 'of the shop';
REVOKE CONNECT ON DATABASE {0} FROM PUBLIC;
GRANT CREATE ON DATABASE {0} TO hand WITH GRANT OPTION;
"""

DATABASES = {15: "O'Hara's \\\"shop\\\" = größe", 18: "postgres"}
"""Name of the database that has the tables, by major version: an odd one, and the system's own."""

DUMPALL = {
    "as it is": (),
    "clean": ("--clean",),
    "clean if exists": ("--clean", "--if-exists"),
    "without passwords": ("--no-role-passwords", "--quote-all-identifiers"),
    "inserts": ("--inserts", "--no-comments"),
}


@pytest.fixture(scope="module")
def one(shops: Shops) -> Target:
    """A server of its own with one filled database."""
    target = shops.throwaway(15)
    fill_shop(target, TABLE)
    return target


def pg_dumpall(target: Target, path: Path, *options: str) -> Path:
    """Dump the whole server of `target`."""
    subprocess.run(
        [target.binaries.tool("pg_dumpall"), f"--file={path}", *options],
        env=target.tool_environment,
        check=True,
    )
    return path


def test_cluster_dump_of_one_database_passes(one: Target, tmp_path: Path, report_dir: Path) -> None:
    """pg_dumpall's output with tables in one database is drilled like pg_dump's."""
    path = pg_dumpall(one, tmp_path / "all.sql")

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["tables"]["public.a"]["rows"] == 1


@pytest.fixture(scope="module")
def clusters(shops: Shops) -> Callable[[int], Target]:
    """Function that gives the cluster of a major version, made once."""
    return functools.cache(functools.partial(make_cluster, shops))


def make_cluster(shops: Shops, major: int) -> Target:
    """A server of its own with several databases, of which one has tables."""
    name = DATABASES[major]
    require_major(major)
    server = shops.throwaway(major)
    with server.connect(dbname="template1") as connection:
        connection.execute("CREATE EXTENSION hstore")
        connection.execute("CREATE SCHEMA shop")
    with server.connect() as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("CREATE TABLESPACE \"fast disk\" LOCATION ''")
        connection.execute('CREATE DATABASE "no; tables"')
        if name != "postgres":
            create = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            connection.execute(create)
    target = replace(server, conninfo=server.conninfo | {"dbname": name})
    fill_shop(target, CLUSTER)
    fill_shop(target, OF_DATABASE.format(sql.Identifier(name).as_string(None)))
    return target


@pytest.mark.parametrize(
    ("major", "form"),
    [*((15, form) for form in DUMPALL if form != "clean"), (18, "as it is"), (18, "clean")],
)
def test_cluster_dump_with_one_filled_database_passes(
    major: int,
    form: str,
    clusters: Callable[[int], Target],
    tmp_path: Path,
    report_dir: Path,
) -> None:
    """A whole server's roles, settings and databases are healthy: one database is drilled."""
    cluster = clusters(major)
    path = pg_dumpall(cluster, tmp_path / "all.sql", *DUMPALL[form])

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["tables"]["shop.cards"]["rows"] == 7
    assert list(drill.result["tables"]) == ["shop.cards"]
    assert drill.result["backup"]["database"] == cluster.conninfo["dbname"]
    notes = "\n".join(drill.result["notes"])
    assert "tablespaces created in the server's own directory: fast disk" in notes
    assert "chief (a superuser)" in notes
    assert "another database without tables is not restored" in notes
    # pg_dumpall writes the settings of the database postgres only with --clean.
    is_set = "SET default_transaction_read_only TO" in path.read_text().replace('"', "")
    assert is_set == ("a setting that would end the drill's own sessions" in notes)
    assert is_set or cluster.conninfo["dbname"] == "postgres"


CREATED = {
    "clean": ("--create", "--clean", "--if-exists"),
    "session": ("--create", "--use-set-session-authorization"),
    "quoted": ("--quote-all-identifiers",),
    "quoted archive": ("--quote-all-identifiers", "--format=custom"),
    "archive": ("--format=tar", "--create"),
}


@pytest.mark.parametrize(
    ("major", "options"),
    [*zip(itertools.cycle(DATABASES), CREATED.values(), strict=False)],
    ids=CREATED,
)
def test_dump_of_the_filled_database_passes(
    major: int,
    options: tuple[str, ...],
    clusters: Callable[[int], Target],
    tmp_path: Path,
    report_dir: Path,
) -> None:
    """Owners that must be superusers, settings of roles and tablespaces are healthy in any form."""
    cluster = clusters(major)
    path = pg_dump(cluster, tmp_path / "one.sql", *options)

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["tables"]["shop.cards"]["rows"] == 7
    assert any("chief (a superuser)" in note for note in drill.result["notes"])


def test_cut_between_databases_is_red(one: Target, tmp_path: Path, report_dir: Path) -> None:
    """The end marker of one database is not that of the whole."""
    path = pg_dumpall(one, tmp_path / "all.sql")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"-- PostgreSQL database cluster dump complete")])

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert "end marker is missing" in drill.failed["test_backup_is_complete"]


def test_several_databases_are_refused(one: Target, tmp_path: Path, report_dir: Path) -> None:
    """Several databases in one file could not run, with what to do."""
    with one.connect() as connection:
        connection.execute("CREATE DATABASE other")
    with one.connect(dbname="other") as connection:
        connection.execute(TABLE.encode())
    path = pg_dumpall(one, tmp_path / "all.sql")

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 6, drill.output
    assert "the backup holds 2 databases, but a drill restores only one" in drill.output

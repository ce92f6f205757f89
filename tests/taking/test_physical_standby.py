"""A standby as the source of a physical backup, and a schema that is changed while it is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from restore_drill.facts.session import open_session
from restore_drill.taking.physical.moves import state_of
from tests.helpers.base_backups import names_in, physical, proved
from tests.helpers.physical import Source, source
from tests.helpers.points import TABLES, load, target_of

HARMLESS = (
    "ANALYZE", "VACUUM FREEZE accounts", "TRUNCATE queue", "REINDEX TABLE accounts",
    "INSERT INTO accounts VALUES (1000)", "SELECT nextval('history_id_seq')",
    "CREATE TEMP TABLE x (id serial PRIMARY KEY, v text DEFAULT 'a' CHECK (v <> ''))",
)  # fmt: skip
CHANGES = (
    "CREATE INDEX by ON accounts (by)", "ALTER TABLE accounts ADD CHECK (id > 0)",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "COMMENT ON TABLE accounts IS 'x'", "ALTER TABLE accounts ALTER by SET DEFAULT 3",
    "GRANT SELECT ON accounts TO public", "ALTER SEQUENCE history_id_seq INCREMENT 2",
    "CREATE VIEW v AS SELECT 1 x", "CREATE OR REPLACE VIEW v AS SELECT 2 x", "DROP VIEW v",
    "ALTER DATABASE shop SET work_mem = '5MB'", "CREATE TYPE mood AS ENUM ('calm')",
)  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Iterator[Source]:
    """Server 15."""
    with source(15, rows=50, max_prepared_transactions="20") as found:
        found.sql(TABLES)
        yield found


@contextmanager
def standby_of(shop: Source) -> Iterator[Source]:
    """A standby of the server, which streams from it."""
    folder = shop.folder / "standby"
    folder.mkdir()
    shop.launcher.own(folder)
    shop.base_backup("standby/data", "--write-recovery-conf")
    with (folder / "data/postgresql.conf").open("a") as file:
        file.write(f"\nunix_socket_directories = '{folder}'\narchive_mode = off\n")
    found = Source(folder, shop.binaries, shop.launcher)
    found.start()
    try:
        yield found
    finally:
        found.stop("immediate")


def test_a_standby_is_a_source_too_idle_and_under_load(shop: Source, tmp_path: Path) -> None:
    """What it saw is proved by a recovery, though nothing can be written there to mark a place."""
    with standby_of(shop) as standby:
        idle = physical(standby, tmp_path / "idle")
        with load(shop):
            time.sleep(0.5)
            busy = physical(standby, tmp_path / "busy")
    for name, done in (("idle", idle), ("busy", busy)):
        assert done.returncode == 0, done.stderr
        (backup,) = names_in(tmp_path / name)
        assert proved(shop, tmp_path / name / backup, tmp_path / name, backup) == []


def test_what_changes_the_schema_is_told_from_what_does_not(shop: Source) -> None:
    """Definitions are read as they are now: whether they are those of the snapshot must show."""

    def state() -> int:
        with closing(open_session(target_of(shop), snapshot="")) as session:
            return state_of(session)

    before = state()
    for statement in (*HARMLESS, *CHANGES):
        with shop.connect() as connection:
            connection.execute(statement.encode())
        now = state()
        assert (now != before) == (statement in CHANGES), statement
        before = now

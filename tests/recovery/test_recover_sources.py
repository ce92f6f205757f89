"""Servers that differ from the usual one: their backups are recovered all the same."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault
from restore_drill.servers.model import SWITCHED_SINCE
from tests.helpers.physical import Source, majors, source
from tests.helpers.recoveries import column, events_in, recovered

LOGIN_TRIGGER = """
CREATE FUNCTION keep_out() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'nobody comes in'; END $$;
CREATE EVENT TRIGGER keep_out ON login EXECUTE FUNCTION keep_out();
ALTER EVENT TRIGGER keep_out ENABLE ALWAYS
"""
MAJORS = pytest.mark.parametrize("major", majors(18, 15))


def cold_copy(server: Source, name: str) -> Path:
    """Copy of the data directory as it lies there, with the tablespace inside of it."""
    to = server.folder / name
    subprocess.run(["cp", "-a", str(server.data), str(to)], check=True)
    (to / "postmaster.pid").unlink(missing_ok=True)
    for link in (to / "pg_tblspc").iterdir():
        link.unlink()
        subprocess.run(["cp", "-a", str(server.tablespace), f"{to}.ts1"], check=True)
        link.symlink_to(f"{to}.ts1")
    return to


@MAJORS
def test_nobody_is_called_postgres_and_no_database_is(major: int) -> None:
    """A role is made in the copy, and each database is entered, also the closed ones."""
    with source(major, rows=20) as server:
        server.commit("one")
        server.sql("CREATE ROLE alice SUPERUSER LOGIN")
        for name in ("billing", "template1"):
            server.sql(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false", "shop")
        server.sql("DROP DATABASE postgres")
        server.sql("ALTER ROLE postgres NOLOGIN")
        with recovered(server.base_backup("backup", "-U", "alice")) as found:
            assert not found.faults
            assert set(found.databases) == {"template0", "template1", "shop", "billing"}
            assert events_in(found) == ["one"]
            assert column(found, "SELECT count(*) FROM invoices", "billing") == [300]
            assert found.server.target("shop").isolated


@MAJORS
def test_a_postgres_without_superuser_is_not_taken(major: int) -> None:
    """Who goes by that name may be anyone: the first superuser has another one here."""
    with source(major, rows=20) as server:
        server.sql("CREATE ROLE alice SUPERUSER LOGIN")
        as_alice = ("psql", "-h", server.folder, "-U", "alice", "-d", "shop", "-c")
        server.run(*as_alice, "ALTER ROLE postgres RENAME TO owner")
        server.run(*as_alice, "CREATE ROLE postgres LOGIN")
        with recovered(server.base_backup("backup", "-U", "alice")) as found:
            assert not found.faults
            assert column(found, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [
                True
            ]
            assert column(found, "SELECT rolsuper FROM pg_roles WHERE rolname = 'postgres'") == [
                False
            ]


@pytest.fixture(scope="module", params=majors(18, 15))
def armed(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Backup of a server whose settings would do harm, or hide it."""
    with source(request.param, rows=20, max_prepared_transactions="10") as server:
        if request.param >= SWITCHED_SINCE:
            server.sql(LOGIN_TRIGGER, "billing")
        with server.connect() as connection:
            for command in (
                "ALTER SYSTEM SET archive_command = 'touch archived-by-the-drill'",
                "ALTER SYSTEM SET shared_buffers = '64GB'",
                "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'",
                "ALTER DATABASE shop SET session_preload_libraries = 'no_such_library'",
                "ALTER DATABASE shop SET local_preload_libraries = 'no_such_library'",
                "ALTER DATABASE shop SET zero_damaged_pages = on",
                "ALTER ROLE postgres SET ignore_checksum_failure = on",
                "ALTER ROLE postgres IN DATABASE shop SET statement_timeout = '1ms'",
                "ALTER ROLE postgres SET default_transaction_read_only = on",
                "ALTER DATABASE shop SET search_path = 'no such schema', \"a\\b\"",
                "CREATE ROLE bob",
                "ALTER ROLE postgres SET role = 'bob'",
                "ALTER DATABASE shop SET app.secret = 'x'",
            ):
                connection.execute(command.encode())
        yield server.base_backup("backup")


def test_no_setting_of_the_source_acts_in_the_copy(armed: Path) -> None:
    """Neither of the server nor of a database or role: those that hide damage are off."""
    with recovered(armed) as found:
        assert not found.faults
        with found.server.target("shop").connect() as connection:

            def shown(name: str) -> str:
                row = connection.execute(f"SHOW {name}".encode()).fetchone()
                return str(row[0]) if row else ""

            assert shown("zero_damaged_pages") == "off"
            assert shown("ignore_checksum_failure") == "off"
            assert shown("statement_timeout") == "0"
            assert shown("default_transaction_read_only") == "off"
            assert shown("search_path") == '"$user", public'
            assert shown("role") == "none"
            assert shown("archive_mode") == "off"
            assert shown("shared_preload_libraries") == ""
            assert shown("max_prepared_transactions") == "1000"
            assert shown("is_superuser") == "on"
        assert column(found, "SELECT count(*) FROM invoices", "billing") == [300]


@MAJORS
def test_prepared_transactions_come_back(major: int) -> None:
    """With their locks: the setting is that of the source."""
    with source(major, rows=20, max_prepared_transactions="7") as server:
        backup = server.base_backup("backup")
        with server.connect() as connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO events (what) VALUES ('undecided')")
            connection.execute("PREPARE TRANSACTION 'two phases'")
        server.switch()
        with recovered(backup, wal=server.archive) as found:
            assert not found.faults
            assert column(found, "SELECT gid FROM pg_prepared_xacts") == ["two phases"]


@pytest.mark.parametrize(("major", "megabytes"), [(15, 1), (18, 64)])
def test_segments_have_any_size(major: int, megabytes: int) -> None:
    """Names, gaps and settings follow."""
    with source(major, rows=20, initdb=(f"--wal-segsize={megabytes}",)) as server:
        backup = server.base_backup("backup")
        segments = []
        for name in ("one", "two", "three"):
            server.commit(name)
            segments.append(server.switch())
        with recovered(backup, wal=server.archive) as found:
            assert not found.faults
            assert events_in(found) == ["one", "two", "three"]
        (server.archive / segments[1]).unlink()
        with recovered(backup, wal=server.archive) as found:
            assert [cause for _, cause in found.faults] == ["gap"]
            assert segments[1] in found.faults[0][0]


@MAJORS
def test_a_cold_copy_is_whole_only_after_a_shutdown(major: int) -> None:
    """Of a server that ran, what was written meanwhile may be missing: nothing would show it."""
    with source(major, rows=20) as server:
        server.commit("one")
        running = cold_copy(server, "running")
        server.stop()
        stopped = cold_copy(server, "stopped")
        with recovered(stopped) as found:
            assert not found.faults
            assert events_in(found) == ["one"]
        with recovered(running) as found:
            assert [cause for _, cause in found.faults] == ["no_label"]


@MAJORS
def test_a_lost_label_is_a_fault(major: int) -> None:
    """The server starts without it, and lacks what was written during the backup."""
    with source(major, rows=20) as server:
        backup = server.base_backup("backup")
        (backup / "backup_label").unlink()
        with recovered(backup) as found:
            assert [cause for _, cause in found.faults] == ["no_label"]


@MAJORS
def test_wal_of_a_minimal_level_ends_recovery(major: int) -> None:
    """The source ran so for a while: what it wrote then cannot be replayed."""
    with source(major, rows=20) as server:
        backup = server.base_backup("backup")
        config = server.data / "postgresql.conf"
        usual = config.read_text()
        server.stop()
        changed = "wal_level=minimal\narchive_mode=off\nmax_wal_senders=0\nsummarize_wal=off\n"
        if major < 17:
            changed = changed.replace("summarize_wal=off\n", "")
        config.write_text(usual + changed)
        server.start()
        server.commit("meanwhile")
        server.stop()
        config.write_text(usual)
        server.start()
        server.commit("later")
        server.switch()
        with (
            pytest.raises(BackupFault, match="wal_level=minimal"),
            recovered(backup, wal=server.archive),
        ):
            pass

"""A copy of a server with dangerous settings acts on nothing outside of its folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from restore_drill.core.errors import BackupFault
from restore_drill.recovery.safe import make_safe
from tests.helpers.copies import census_of, copied_to, run_directory, started
from tests.helpers.physical import Source, copied, source

CONFIG = """
shared_preload_libraries = 'no_such_library'
shared_buffers = '64GB'
huge_pages = on
ssl = on
ssl_cert_file = '/nowhere/server.crt'
hba_file = '/nowhere/pg_hba.conf'
include = '/nowhere/more.conf'
log_directory = '/nowhere'
logging_collector = on
unix_socket_directories = '{folder}'
"""
"""What a server would not start with here, or would do elsewhere."""
STALE = ("postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "recovery.conf")


def marker_of(shop: Source) -> Path:
    """File that the archive_command of the source and its backups writes."""
    return shop.folder / "archived"


@pytest.fixture(scope="module")
def shop() -> Iterator[Source]:
    """Server with the backups `standby`, of a standby to be, and `cold`, a copy with its slots.

    From then on it connects to itself no more, and archives nothing: who does is a copy.
    """
    with source(15, rows=200, wal_level="logical", log_connections="on") as found:
        publish(found)
        archive = f"touch {marker_of(found)}; cp %p {found.archive}/%f"
        found.sql(f"ALTER SYSTEM SET archive_command = '{archive}'")
        for each in ("archive_mode = on", "max_logical_replication_workers = 4",
                     "wal_level = logical", "max_wal_senders = 4"):  # fmt: skip
            found.sql(f"ALTER SYSTEM SET {each}")
        found.sql("SELECT pg_reload_conf()")
        found.switch()
        assert marker_of(found).exists()
        with (found.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=found.folder))
        broken = "SET session_preload_libraries = 'no_such_library'"
        found.sql(f"ALTER DATABASE shop {broken}", "billing")
        found.sql(f"ALTER ROLE postgres IN DATABASE shop {broken}", "billing")
        found.base_backup("standby", "--write-recovery-conf")
        found.sql("CHECKPOINT", "billing")
        found.run("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", found.data)
        copied(found.data, found.folder / "cold")
        (found.folder / "cold/standby.signal").touch()
        restart_quietly(found)
        yield found


def publish(shop: Source) -> None:
    """Let `shop` be subscribed to a table of `billing`, by a slot that lies there."""
    for database in ("billing", "shop"):
        shop.sql("CREATE TABLE published (id int PRIMARY KEY)", database)
    shop.sql("CREATE PUBLICATION all_of_it FOR TABLE published", "billing")
    shop.sql("SELECT pg_create_logical_replication_slot('moved', 'pgoutput')", "billing")
    shop.sql(
        f"CREATE SUBSCRIPTION mine CONNECTION 'host={shop.folder} dbname=billing user=postgres'"
        " PUBLICATION all_of_it WITH (create_slot = false, slot_name = 'moved')"
    )


def restart_quietly(shop: Source) -> None:
    """Start the source again, with a configuration that it can start with, and no worker."""
    path = shop.data / "postgresql.conf"
    text = path.read_text(encoding="utf-8").replace(CONFIG.format(folder=shop.folder), "")
    quiet = "max_logical_replication_workers = 0\narchive_command = '/bin/true'\n"
    path.write_text(text + quiet, encoding="utf-8")
    (shop.data / "postgresql.auto.conf").write_text("", encoding="utf-8")
    shop.start()


@pytest.fixture
def run() -> Iterator[Path]:
    """A run directory."""
    with run_directory() as found:
        yield found


def slots_of(shop: Source) -> list[tuple[object, ...]]:
    """Slots of the source, and where they are."""
    with psycopg.connect(host=str(shop.folder), dbname="billing", user="postgres") as connection:
        return connection.execute(
            "SELECT slot_name, restart_lsn, confirmed_flush_lsn, active FROM pg_replication_slots"
        ).fetchall()


@pytest.mark.parametrize("name", ["standby", "cold"])
def test_a_copy_of_a_dangerous_server_acts_on_nothing(name: str, shop: Source, run: Path) -> None:
    """It archives nothing, connects nowhere and moves no slot; the source is as it was."""
    shop.sql("CHECKPOINT", "billing")
    marker = marker_of(shop)
    marker.unlink(missing_ok=True)
    before, slots, log = census_of(shop), slots_of(shop), shop.log()
    assert slots
    copied_to(run, shop.folder / name)
    with started(shop, run) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (500,)
        assert connection.execute("SELECT count(*) FROM pg_subscription").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (0,)
        connection.execute("INSERT INTO events (what) VALUES ('in the copy')")
        connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")
        kinds = {row[0] for row in connection.execute("SELECT backend_type FROM pg_stat_activity")}
        assert not kinds & {"logical replication launcher", "walreceiver", "archiver"}, kinds
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    arrived = shop.log().removeprefix(log)
    assert arrived.count("connection received") == 0, arrived
    assert not marker.exists()
    assert slots_of(shop) == slots
    assert census_of(shop) == before


def test_what_would_end_or_lead_a_server_is_removed(shop: Source, run: Path) -> None:
    """Files of a server's run, of a standby, and of PostgreSQL before 12; the label stays."""
    backup = copied(shop.folder / "standby", run / "backup")
    for each in (*STALE, "backup_label.old", "tablespace_map.old"):
        (backup / each).write_text("restore_command = 'touch /tmp/x'\n", encoding="utf-8")
    oid = next((backup / "pg_tblspc").iterdir()).name
    (backup / "tablespace_map").write_text(f"{oid} {shop.tablespace}\n", encoding="utf-8")
    copied_to(run, backup)
    found = {each.name for each in (run / "data").iterdir()}
    gone = {*STALE, "backup_label.old", "tablespace_map.old", "tablespace_map"}
    assert not found & gone and "backup_label" in found
    assert (run / "data/postgresql.auto.conf").read_bytes() == b""
    with started(shop, run) as connection:
        place = connection.execute(f"SELECT pg_tablespace_location({oid})").fetchone()
        assert place == (str(run / "tablespaces" / oid),)


def test_a_link_that_leads_out_of_the_copy_is_refused(shop: Source, run: Path) -> None:
    """Whatever has put it there: of a tablespace, of pg_wal, or deep below."""
    copied_to(run, shop.folder / "standby")
    data = run / "data"
    (link,) = (data / "pg_tblspc").iterdir()
    target = link.readlink()
    for name in ("pg_tblspc/" + link.name, "pg_wal", "base/1/1259"):
        path = data / name
        kept = run / "kept"
        path.rename(kept)
        path.symlink_to(shop.tablespace)
        with pytest.raises(BackupFault, match=f"{name} is not in the backup"):
            make_safe(data)
        path.unlink()
        kept.rename(path)
    (data / "pg_wal/0000000100000000000000FF").mkdir()  # no segment, whatever its name
    make_safe(data)
    assert link.readlink() == target


def test_links_and_folders_in_place_of_files_are_removed_unread(shop: Source, run: Path) -> None:
    """A link to the source's file would empty that; a folder is no file."""
    copied_to(run, shop.folder / "standby")
    data = run / "data"
    (data / "postgresql.auto.conf").unlink()
    (data / "postgresql.auto.conf").symlink_to(shop.data / "postgresql.auto.conf")
    (data / "recovery.conf").mkdir()
    shutil.rmtree(data / "pg_replslot")
    (data / "pg_replslot").symlink_to(shop.data / "pg_replslot")
    before = census_of(shop)
    with pytest.raises(BackupFault, match="pg_replslot is not in the backup"):
        make_safe(data)
    assert (data / "postgresql.auto.conf").read_bytes() == b""
    assert not (data / "recovery.conf").exists()
    assert census_of(shop) == before

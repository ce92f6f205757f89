"""Whole drills of physical backups: what a user sees of healthy, damaged and dangerous ones."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from restore_drill.facts.physical.checksum import PAGE
from tests.helpers.copies import census_of
from tests.helpers.drills import Drill, run_drill
from tests.helpers.physical import Source, copied, source

DANGEROUS = """
listen_addresses = '*'
port = {port}
shared_buffers = '64GB'
huge_pages = on
ssl = on
ssl_cert_file = 'nowhere.crt'
shared_preload_libraries = 'no_such_library'
archive_mode = always
archive_command = 'cp %p {away}/%f'
restore_command = 'touch {away}/asked-%f'
recovery_end_command = 'touch {away}/ended'
archive_cleanup_command = 'touch {away}/cleaned'
primary_conninfo = 'host=127.0.0.1 port={port} user=postgres'
primary_slot_name = 'waits'
include_dir = '/etc'
"""


@dataclass
class Shop:
    """A server with a base backup that needs its archive, and three transactions behind it."""

    server: Source
    backup: Path
    segments: list[str]
    times: list[str]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """The backup is of version 15; each transaction ends its segment."""
    with source(
        15, rows=300, max_logical_replication_workers="0", max_replication_slots="5"
    ) as server:
        backup = server.base_backup("backup", "--wal-method=none")
        times, segments = [], []
        for name in ("one", "two", "three"):
            times.append(server.commit(name, 10)[1])
            server.restore_point(f"after_{name}")
            segments.append(server.switch())
        yield Shop(server, backup, segments, times)


@pytest.fixture
def copy(shop: Shop, tmp_path: Path) -> Path:
    """Copy of the backup that a test may damage, with its archive beside it."""
    place = tmp_path / "backups"
    place.mkdir()
    shutil.copytree(shop.server.archive, place / "wal")
    return copied(shop.backup, place / "base")


def drilled(backup: Path, tmp_path: Path, *options: str, path: str = os.environ["PATH"]) -> Drill:
    """The drill of the backup, whose output no user takes for a crash."""
    found = run_drill(f"--backup={backup}", *options, report_dir=tmp_path / "reports", PATH=path)
    assert "Traceback" not in found.output, found.output
    return found


def file_of(shop: Shop, copy: Path, relation: str) -> Path:
    """The file of a relation in the copy."""
    return copy / str(shop.server.sql(f"SELECT pg_relation_filepath('{relation}')"))


def test_healthy_backup_passes_with_its_newest_transaction(
    shop: Shop, copy: Path, tmp_path: Path
) -> None:
    """Exit code 0; every database is examined, and the newest transaction is named."""
    found = drilled(copy, tmp_path)

    assert found.code == 0, found.output
    assert "5 databases: billing, postgres, shop, template0, template1" in found.output
    assert f"The newest transaction in it ended {shop.times[-1][:16]}" in found.output
    assert "Events: 530" in found.output


def test_drill_ends_at_a_restore_point(shop: Shop, copy: Path, tmp_path: Path) -> None:
    """What was committed behind it is not in the copy."""
    found = drilled(copy, tmp_path, "--recover-to=name:after_one")

    assert found.code == 0, found.output
    assert "Events: 510" in found.output
    words = rf"The newest transaction in it ended {shop.times[0][:16]}:\d\d\.\d{{6}} UTC"
    assert re.search(words, found.output), found.output
    place = f"{found.result['recovery']['end_lsn']} on timeline 1"
    assert f"Recovery ended at {place}" in found.output
    assert f"Recovery to name:after_one ended at {place}" in found.output


def test_target_that_is_not_there_is_no_verdict_on_the_backup(
    copy: Path, shop: Shop, tmp_path: Path
) -> None:
    """It is named, with the restore points that there are; the drill fails nevertheless."""
    found = drilled(copy, tmp_path, "--recover-to=name:nosuch")

    assert found.code == 1, found.output
    assert "recovery did not reach name:nosuch: no restore point of that name" in found.output
    assert "the newest first: after_three, after_two, after_one" in found.output
    assert "its WAL does not reach the target" in found.output
    assert "do not rely on this backup" not in found.output
    assert shop.times[-1][:19] in found.output


def test_missing_segment_is_named(shop: Shop, copy: Path, tmp_path: Path) -> None:
    """The server itself starts without a word."""
    (copy.parent / "wal" / shop.segments[1]).unlink()

    found = drilled(copy, tmp_path)

    assert found.code == 1, found.output
    assert f"{shop.segments[1]} is missing" in found.failed["test_wal_is_complete"]


def test_zeroed_page_is_named_by_index_and_block(shop: Shop, copy: Path, tmp_path: Path) -> None:
    """Checksums and amcheck are content with it."""
    path = file_of(shop, copy, "orders")
    content = bytearray(path.read_bytes())
    content[3 * PAGE : 4 * PAGE] = bytes(PAGE)
    path.write_bytes(content)
    (copy / "backup_manifest").unlink()

    found = drilled(copy, tmp_path)

    assert found.code == 1, found.output
    assert set(found.failed) == {"test_index_entries_lead_to_rows"}
    words = found.failed["test_index_entries_lead_to_rows"]
    assert "index public.orders_pkey on public.orders" in words
    assert "(table's block 3)" in words


def test_changed_file_is_named_before_anything_starts(
    shop: Shop, copy: Path, tmp_path: Path
) -> None:
    """The manifest knows each file's checksum."""
    path = file_of(shop, copy, "customers")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)

    found = drilled(copy, tmp_path)

    assert found.code == 1, found.output
    assert "checksum mismatch for file" in found.failed["test_backup_is_complete"]


def test_lost_label_fails(copy: Path, tmp_path: Path) -> None:
    """Nothing else would notice what is missing then."""
    for name in ("backup_label", "backup_manifest"):
        (copy / name).unlink()

    found = drilled(copy, tmp_path)

    assert found.code == 1, found.output
    assert "it has no backup_label" in found.output


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--recover-to=2020-01-01 00:00:00+00", "before the end of the backup"),
        ("--recover-to=yesterday", "recover-to"),
        ("--target=container", "physical backup"),
        ("--recover-to=2999-01-01 00:00:00+00", "lies in the future"),
        ("--timeline=5", "--timeline 5 is not there: "),
    ],
)
def test_impossible_wish_is_refused(option: str, words: str, copy: Path, tmp_path: Path) -> None:
    """Exit code 4, before anything is copied."""
    found = drilled(copy, tmp_path, option)

    assert found.code == 4, found.output
    assert words in found.output


def test_missing_program_is_no_verdict_on_the_backup(tmp_path: Path) -> None:
    """Exit code 6, with what is to be installed."""
    stanza = tmp_path / "repo" / "backup" / "main"
    stanza.mkdir(parents=True)
    (tmp_path / "repo" / "archive" / "main").mkdir(parents=True)
    (stanza / "backup.info").write_text("[backrest]\nbackrest-format=5\n")
    (tmp_path / "bin").mkdir()

    found = drilled(tmp_path / "repo", tmp_path, path=str(tmp_path / "bin"))

    assert found.code == 6, found.output
    assert "pgbackrest is not installed here" in found.output


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A port of this machine that notes who comes."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        found.settimeout(0.1)
        yield found


def slots_of(server: Source) -> object:
    """Where its slots stand."""
    return server.sql("SELECT string_agg(s::text, ';') FROM pg_replication_slots s")


def test_dangerous_source_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    """No packet leaves, no WAL is archived, and the source's files and slots are as they were."""
    server = shop.server
    with listening() as port:
        number = port.getsockname()[1]
        server.sql("SELECT pg_create_physical_replication_slot('waits', true)")
        server.sql(
            f"CREATE SUBSCRIPTION follows CONNECTION 'host=127.0.0.1 port={number} dbname=shop'"
            " PUBLICATION p WITH (connect = false, slot_name = 'waits', enabled = false)"
        )
        server.sql("ALTER SUBSCRIPTION follows ENABLE")
        server.sql("ALTER DATABASE billing SET session_preload_libraries = 'no_such_library'")
        backup = server.base_backup("dangerous", "--write-recovery-conf")
        away = server.folder / "away"
        away.mkdir()
        away.chmod(0o777)
        (backup / "backup_manifest").unlink()
        for name in ("postgresql.conf", "postgresql.auto.conf"):
            with (backup / name).open("a", encoding="utf-8") as file:
                file.write(DANGEROUS.format(port=number, away=away))
        (backup / "pg_hba.conf").write_text("host all all 0.0.0.0/0 trust\n")
        server.switch()  # the archiver has nothing left to do
        server.sql("CHECKPOINT")
        before, slots = census_of(server), slots_of(server)

        found = drilled(backup, tmp_path)

        assert found.code == 0, found.output
        with pytest.raises(TimeoutError):
            port.accept()
    assert slots_of(server) == slots
    assert sorted(census_of(server).items() ^ before.items()) == []
    assert list(away.iterdir()) == []

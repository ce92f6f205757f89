"""Selecting: which file is the newest finished backup."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fixtures.backup.candidate import look_at
from fixtures.backup.formats import recognise
from fixtures.backup.listing import candidates_in
from fixtures.backup.times import time_in_name
from tests.shop import COMPRESSORS, Shops, require_major

DUMP = b"--\n-- PostgreSQL database dump\n--\n\nSELECT 1;\n"

NAMES = {
    "backup_20231201_050001.sql": datetime(2023, 12, 1, 5, 0, 1, tzinfo=UTC),
    "shop-2023-12-01T05:00:01Z.dump": datetime(2023, 12, 1, 5, 0, 1, tzinfo=UTC),
    "shop-2023-12-01T05-00-01.sql.gz": datetime(2023, 12, 1, 5, 0, 1, tzinfo=UTC),
    "shop_2023-12-01_05-00.dump": datetime(2023, 12, 1, 5, 0, tzinfo=UTC),
    "shop-20231201T050001+0200.dump": datetime(2023, 12, 1, 3, 0, 1, tzinfo=UTC),
    "2023-12-01.sql": datetime(2023, 12, 1, tzinfo=UTC),
    "db20231201.sql": datetime(2023, 12, 1, tzinfo=UTC),
    "nightly.dump": None,
    "build_99991399.sql": None,
    "shop-20231399.sql": None,
    "v120231201.1234567890.sql": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_time_is_read_from_the_name(name: str) -> None:
    """Times in names are read in the usual forms, and nothing else is taken for one."""
    assert time_in_name(name, UTC) == NAMES[name]


def test_name_without_zone_is_in_the_zone_of_the_criteria() -> None:
    """A name in local time is read in the zone that the criteria file names."""
    found = time_in_name("backup_20231201_050001.sql", ZoneInfo("Europe/Berlin"))

    assert found == datetime(2023, 12, 1, 4, 0, 1, tzinfo=UTC)


def test_newest_goes_by_name_before_modification_time(tmp_path: Path) -> None:
    """A copy that reset the modification time does not make an old backup new."""
    for name, modified in (
        ("b_20260101.sql", 2e9),
        ("b_20260301.sql", 1e9),
        ("b_20260201.sql", 3e9),
    ):
        (tmp_path / name).write_bytes(DUMP)
        os.utime(tmp_path / name, (modified, modified))

    found, _ = candidates_in(tmp_path, UTC)

    assert [each.path.name for each in found] == [
        "b_20260301.sql",
        "b_20260201.sql",
        "b_20260101.sql",
    ]


def test_time_inside_the_dump_goes_before_modification_time(shops: Shops, tmp_path: Path) -> None:
    """An archive without a time in its name is as old as its header says."""
    path = tmp_path / "nightly.dump"
    path.write_bytes(shops.dump(15, "custom.dump").read_bytes())
    os.utime(path, (1e9, 1e9))

    found = look_at(path, UTC)

    assert found.time_source == "the dump itself"
    assert abs((datetime.now(UTC) - found.taken_at).total_seconds()) < 3600


@pytest.mark.parametrize("name", ["b.sql.part", "b.sql.tmp", "b.dump.partial"])
def test_unfinished_is_passed_over_with_a_word(name: str, tmp_path: Path) -> None:
    """Files in progress are passed over, and named."""
    (tmp_path / name).write_bytes(DUMP)
    (tmp_path / "old_20200101.sql").write_bytes(DUMP)

    found, passed_over = candidates_in(tmp_path, UTC)

    assert [each.path.name for each in found] == ["old_20200101.sql"]
    assert passed_over[0].startswith(name)


def test_growing_file_is_passed_over(tmp_path: Path) -> None:
    """A file whose size changes while it is looked at is still being written."""
    path = tmp_path / "growing.sql"
    path.write_bytes(DUMP)
    done = threading.Event()

    def grow() -> None:
        while not done.is_set():
            with path.open("ab") as file:
                file.write(b"SELECT 1;\n")
            time.sleep(0.01)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        found, passed_over = candidates_in(tmp_path, UTC)
    finally:
        done.set()
        thread.join()

    assert found == []
    assert passed_over == ["growing.sql: still being written, its size changes"]


def test_other_files_are_ignored(tmp_path: Path) -> None:
    """Checksums, logs, hidden files and other folders are no backups."""
    for name in ("b.sql.sha256", "backup.log", ".hidden.sql", "README.md", "b.manifest.json"):
        (tmp_path / name).write_bytes(DUMP)
    (tmp_path / "snapshots").mkdir()

    assert candidates_in(tmp_path, UTC) == ([], [])


@pytest.mark.parametrize("suffix", ["", *COMPRESSORS])
@pytest.mark.parametrize("form", ["plain.sql", "custom.dump", "archive.tar"])
def test_format_is_recognised_by_content(
    form: str, suffix: str, shops: Shops, tmp_path: Path
) -> None:
    """The format shows in the content, whatever the name says."""
    data = shops.dump(15, form).read_bytes()
    path = tmp_path / "no-suffix-at-all"
    path.write_bytes(COMPRESSORS[suffix](data) if suffix else data)

    found, compression, unrecognised, _ = recognise(path)

    assert found == {"plain.sql": "plain", "custom.dump": "custom", "archive.tar": "tar"}[form]
    assert bool(compression) == bool(suffix)
    assert unrecognised == ""


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
def test_head_is_read_without_a_server(major: int, shops: Shops) -> None:
    """Versions, database, encoding and tables stand in the head of each format."""
    from fixtures.backup.candidate import as_backup  # noqa: PLC0415
    from fixtures.backup.read import read_head  # noqa: PLC0415

    require_major(major)
    for form in ("plain.sql", "custom.dump", "directory", "archive.tar"):
        head = read_head(as_backup(look_at(shops.dump(major, form), UTC)))
        assert head.source_major == major
        assert head.dumper_major == major
        assert head.encoding == "UTF8"
        assert "billing.Odd Name" in head.tables
        assert len(head.tables) == 9
        if form != "plain.sql":
            assert head.database == "shop"

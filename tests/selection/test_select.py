"""Selecting: which file is the newest finished backup."""

from __future__ import annotations

import gzip
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from restore_drill.backups.formats import recognise
from restore_drill.backups.model import Head
from restore_drill.backups.read import read_head
from restore_drill.selection.announce import by_reason
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.selection.times import time_in_name
from restore_drill.selection.tree import candidates_in, list_folder
from tests.helpers.drills import run_drill
from tests.helpers.folders import DUMP, backup_in, name_of
from tests.helpers.shop import COMPRESSORS, Shops, require_major

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


def made_before(dump: bytes, days: int) -> bytes:
    """The custom archive `dump` of format 1.14, as if it were made `days` ago in local time."""
    size = dump[8]
    when = datetime.now() - timedelta(days=days)  # noqa: DTZ005 - as pg_dump writes it
    fields = (when.second, when.minute, when.hour, when.day, when.month - 1, when.year - 1900)
    start = 11 + 1 + size
    told = b"".join(b"\0" + value.to_bytes(size, "little") for value in fields)
    return dump[:start] + told + dump[start + len(told) :]


@pytest.mark.parametrize(
    ("days", "named", "source"),
    [
        (20, 0, "the dump itself, its name says later"),
        (1, 0, "its name"),
        (0, 20, "its name"),
        (20, -2, "its name"),
    ],
    ids=["renamed", "another zone", "name says earlier", "name lies in the future"],
)
def test_old_dump_under_a_new_name_is_old(
    days: int, named: int, source: str, shops: Shops, tmp_path: Path
) -> None:
    """A name makes no archive younger than its own header says, beyond what zones explain."""
    name = datetime.now(UTC) - timedelta(days=named)
    path = tmp_path / f"shop_{name:%Y%m%d_%H%M%S}.dump"
    path.write_bytes(made_before(shops.dump(15, "custom.dump").read_bytes(), days))

    found = look_at(path, UTC)

    assert found.time_source == source
    age = (datetime.now(UTC) - found.taken_at).total_seconds() / 86400
    assert round(age) == (days if "dump" in source else named)


@pytest.mark.parametrize("name", ["b.sql.part", "b.sql.tmp", "b.dump.partial"])
def test_unfinished_is_passed_over_with_a_word(name: str, tmp_path: Path) -> None:
    """Files in progress are passed over, and named."""
    (tmp_path / name).write_bytes(DUMP)
    (tmp_path / "old_20200101.sql").write_bytes(DUMP)

    found, passed_over = candidates_in(tmp_path, UTC)

    assert [each.path.name for each in found] == ["old_20200101.sql"]
    assert passed_over[0].startswith(name)


def test_what_is_passed_over_for_one_reason_is_told_once() -> None:
    """Thirty role files are not thirty lines."""
    lines = [f"{number}.roles.sql: roles" for number in range(5)]

    told = list(by_reason([lines[0], "a.sql: still being written", *lines[1:]]))

    names = "0.roles.sql, 1.roles.sql, 2.roles.sql"
    assert told == [f"{names} and 2 more: roles", "a.sql: still being written"]


def test_growing_file_is_passed_over(tmp_path: Path) -> None:
    """A file whose size changes while it is checked is still being written."""
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
    assert passed_over == ["growing.sql: still being written: its size is changing"]


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

    found = recognise(path)

    kinds = {"plain.sql": "plain", "custom.dump": "custom", "archive.tar": "tar"}
    assert found.format == kinds[form]
    assert bool(found.compression) == bool(suffix)
    assert found.unrecognised == ""


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
def test_head_is_read_without_a_server(major: int, shops: Shops) -> None:
    """Versions, database, encoding and tables stand in the head of each format."""
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


def test_link_is_what_it_leads_to(tmp_path: Path, report_dir: Path) -> None:
    """A link made just now, and one stored as a text, are as old as the file they name."""
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "db-2026-01-02T03-00-00Z.sql").write_bytes(DUMP)
    (folder / "latest.sql").symlink_to("db-2026-01-02T03-00-00Z.sql")
    (folder / "current.sql").write_text("db-2026-01-02T03-00-00Z.sql")
    (folder / "gone.sql").symlink_to("db-2019.sql")
    (folder / "loop.sql").symlink_to("loop.sql")

    found = list_folder(folder, UTC)

    assert [each.path.name for each in found.found] == ["db-2026-01-02T03-00-00Z.sql"]
    assert found.found[0].time_source == "its name"
    assert "latest.sql is a link to db-2026-01-02T03-00-00Z.sql, counted once" in found.remarks
    for name in ("gone.sql", "loop.sql"):
        assert any(line.startswith(f"{name}: a link to") for line in found.passed_over)
    for name in ("latest.sql", "current.sql"):
        drill = run_drill(f"--backup={folder / name}", "-m", "select", report_dir=report_dir)
        assert set(drill.failed) == {"test_backup_is_young_enough"}
        assert "2026-01-02 03:00:00 UTC (from its name)" in drill.output


def test_copy_is_dated_by_its_twin(tmp_path: Path) -> None:
    """A copy named latest is as old as the dated file with the same bytes; another file is not."""
    (tmp_path / "db-2026-01-02.sql").write_bytes(DUMP)
    (tmp_path / "latest.sql").write_bytes(DUMP)
    (tmp_path / "other.sql").write_bytes(DUMP.replace(b"1", b"2"))

    found = list_folder(tmp_path, UTC)

    assert {each.path.name for each in found.found} == {"db-2026-01-02.sql", "other.sql"}
    assert found.remarks == ["latest.sql is a copy of db-2026-01-02.sql, counted once"]


@pytest.mark.parametrize(
    "name",
    ["backup.lock", "_SUCCESS", "db_20260103.done", ".complete", "x.ok", "a.gz.success"],
)
def test_marker_is_no_backup(name: str, tmp_path: Path, report_dir: Path) -> None:
    """An empty file that is not named like a backup is a marker: nothing is said of it."""
    (tmp_path / "db_20260102.sql").write_bytes(DUMP)
    (tmp_path / name).touch()

    drill = backup_in(tmp_path, report_dir)

    assert drill.code == 0, drill.output
    assert name_of(drill) == "db_20260102.sql"
    assert name not in drill.output


@pytest.mark.parametrize("suffix", COMPRESSORS)
@pytest.mark.parametrize("form", ["custom.dump", "archive.tar"])
def test_archive_behind_a_compression_has_its_head(
    form: str, suffix: str, shops: Shops, tmp_path: Path
) -> None:
    """Tables, time and database of an archive are known at collection through its compression."""
    path = tmp_path / f"shop.{suffix}"
    path.write_bytes(COMPRESSORS[suffix](shops.dump(15, form).read_bytes()))
    plain = look_at(shops.dump(15, form), UTC)

    found = look_at(path, UTC)

    head = read_head(as_backup(found))
    assert head == read_head(as_backup(plain))
    assert len(head.tables) == 9
    assert (found.taken_at, found.database) == (plain.taken_at, "shop")


def test_compressed_archive_has_all_criteria(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """A custom archive in gzip, also twice, is judged by as many criteria as the archive itself."""
    plain = shops.dump(15, "custom.dump")
    once, twice = tmp_path / "once.dump.gz", tmp_path / "twice.dump.gz"
    once.write_bytes(gzip.compress(plain.read_bytes()))
    twice.write_bytes(COMPRESSORS["zst"](once.read_bytes()))

    ran = []
    for path in (plain, once, twice):
        drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)
        assert drill.code == 0, drill.output
        ran.append(drill.ran)

    assert ran[0] == ran[1] == ran[2]
    assert "compressed twice (gzip in zstd)" in drill.output


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("9.6.24", "9.6"),
        ("9.4", "9.4"),
        ("16.4 (Debian 16.4-1)", "16"),
        ("18beta1", "18"),
        ("", ""),
    ],
)
def test_release_is_named_as_people_name_it(version: str, release: str) -> None:
    """Before 10 a release has two parts."""
    assert Head(source_version=version).source_release == release


DAY = datetime(2026, 1, 5, tzinfo=UTC)
MTIME, END = (
    "the file's modification time, on the day in its name",
    "the end of the day in its name",
)


@pytest.mark.parametrize(
    ("modified", "zone", "taken", "source"),
    [
        (23.8, "UTC", 23.8, MTIME),
        (0, "UTC", 0, MTIME),
        (31.8, "UTC", 31.8, MTIME),
        (-8, "UTC", -8, MTIME),
        (23.8, "Europe/Berlin", 23.8, MTIME),
        (100, "UTC", 24, END),
        (100, "Europe/Berlin", 23, END),
        (-100, "UTC", 24, END),
    ],
)
def test_a_name_that_says_the_day_makes_no_young_backup_old(
    modified: float, zone: str, taken: float, source: str, tmp_path: Path
) -> None:
    """A date is no midnight: the file's own time on that day counts, else the end of the day."""
    path = tmp_path / "library_20260105.sql"
    path.write_bytes(DUMP)
    when = (DAY + timedelta(hours=modified)).timestamp()
    os.utime(path, (when, when))

    found = look_at(path, ZoneInfo(zone))

    assert found.time_source == source
    assert abs(found.taken_at - DAY - timedelta(hours=taken)) <= timedelta(seconds=1)


def test_a_day_that_is_not_over_or_has_not_begun(tmp_path: Path) -> None:
    """A backup of today is not of this evening; one of next week has a wrong name."""
    now = datetime.now(UTC)
    today, later = (tmp_path / f"b_{now + timedelta(days=days):%Y%m%d}.sql" for days in (0, 7))
    for path in (today, later):
        path.write_bytes(DUMP)
        os.utime(path, (1e9, 1e9))

    assert abs(look_at(today, UTC).taken_at - now) < timedelta(minutes=1)
    assert look_at(later, UTC).taken_at - now > timedelta(days=5)


def test_the_folder_may_say_the_day(tmp_path: Path) -> None:
    """A folder's date is no midnight either."""
    path = tmp_path / "2026-01-05" / "library.sql"
    path.parent.mkdir()
    path.write_bytes(DUMP)
    when = (DAY + timedelta(hours=23)).timestamp()
    os.utime(path, (when, when))

    found = look_at(path, UTC)

    assert found.taken_at == DAY + timedelta(hours=23)
    assert found.time_source == "the file's modification time, on the day in its folder's name"


def test_days_in_names_go_before_times_of_files(tmp_path: Path) -> None:
    """Files that were copied the next morning, the newest first, are as new as their names say."""
    for day, hour in ((4, 33), (5, 32.9), (6, 8.5)):
        path = tmp_path / f"b_2026010{day}.sql"
        path.write_bytes(DUMP)
        when = (datetime(2026, 1, day, tzinfo=UTC) + timedelta(hours=hour)).timestamp()
        os.utime(path, (when, when))

    found, _ = candidates_in(tmp_path, UTC)

    assert [each.path.name[-5:-4] for each in found] == ["6", "5", "4"]

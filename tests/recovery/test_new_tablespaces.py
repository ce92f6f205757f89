"""CREATE TABLESPACE in WAL makes no folder, and no link, where the source has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.backups.physical.wal_header import LONG, MAGIC
from restore_drill.core.errors import CouldNotRun
from restore_drill.recovery.new_tablespaces import RECORD, checksum, keep_inside
from tests.helpers.copies import census, copied_to, run_directory, started
from tests.helpers.physical import Source, majors, source

PAGE, SIZE = 8192, 1 << 20
LENGTH = 4 * PAGE
"""Bytes of the segments that are made here: what is behind them does not matter."""
AT = 5 * SIZE


@pytest.fixture(params=majors(15, 18))
def shop(request: pytest.FixtureRequest) -> Iterator[Source]:
    """Server with the base backup `plain`, behind which it has made a tablespace with a table."""
    with source(request.param, rows=200) as found:
        found.base_backup("plain")
        late = found.folder / "late"
        late.mkdir()
        found.launcher.own(late)
        found.sql(f"CREATE TABLESPACE late LOCATION '{late}'")
        found.sql("CREATE TABLE moved (a int) TABLESPACE late")
        found.sql("INSERT INTO moved SELECT generate_series(1, 1000)")
        found.switch()
        found.sql("CHECKPOINT")
        yield found


def test_replay_makes_a_tablespace_inside_of_the_copy(shop: Source) -> None:
    """Without walls, and as the account of the source: what is there is not written over."""
    late = shop.folder / "late"
    before = census(late)
    with run_directory() as run:
        copied_to(run, shop.folder / "plain")
        for each in shop.archive.iterdir():
            segment = Path(shutil.copy(each, run / "data/pg_wal"))
            keep_inside(segment)
            shop.launcher.own(segment)
        with started(shop, run) as connection:
            assert connection.execute("SELECT count(*) FROM moved").fetchone() == (1000,)
            connection.execute("INSERT INTO moved SELECT generate_series(1, 5000)")
            connection.execute("CHECKPOINT")
            found = connection.execute("SELECT oid FROM pg_tablespace WHERE spcname = 'late'")
            place = run / "data/pg_tblspc" / str((found.fetchone() or [0])[0])
        assert place.is_dir() and not place.is_symlink()
    assert census(late) == before


def test_wal_of_a_copy_is_looked_through_too(shop: Source, tmp_path: Path) -> None:
    """A copy of a data directory holds the WAL that its recovery begins with."""
    backup = Path(shutil.copytree(shop.folder / "plain", tmp_path / "plain", symlinks=True))
    for each in shop.archive.iterdir():
        shutil.copy(each, backup / "pg_wal")
    with run_directory() as run:
        copied_to(run, backup)
        made = shop.run("pg_waldump", "-r", "Tablespace", run / "data/pg_wal" / last(shop))
        assert "desc: CREATE" in made and str(shop.folder) not in made


def last(shop: Source) -> str:
    """Name of the segment in which the tablespace is made."""

    def made(segment: Path) -> str:
        return shop.run("pg_waldump", "-r", "Tablespace", segment, check=False)

    return [each.name for each in sorted(shop.archive.iterdir()) if "late" in made(each)][-1]


def create(path: str, before: int) -> bytes:
    """A record of CREATE TABLESPACE, as a server writes it."""
    text = (16400).to_bytes(4, "little") + path.encode() + b"\0"
    size = (
        bytes([0xFF, len(text)]) if len(text) < 256 else b"\xfe" + len(text).to_bytes(4, "little")
    )
    data = size + text
    head = RECORD.pack(RECORD.size + len(data), 700, before, 0, 5, 0)
    return head[:20] + checksum(head + data).to_bytes(4, "little") + data


def segment(record: bytes, offset: int, filler: bytes) -> bytes:
    """A segment in which `record` begins so many bytes behind the header of the first page."""
    stream = (filler * (LENGTH // len(filler) + 1))[:offset] + record
    stream += filler * (LENGTH // len(filler) + 1)
    header = LONG.pack(MAGIC[15], 2, 1, AT, 0, 7, SIZE, PAGE)
    found = header.ljust(40, b"\0") + stream[: PAGE - 40]
    place = PAGE - 40
    while len(found) < LENGTH:
        found += (MAGIC[15].to_bytes(2, "little") + b"\5\0\0").ljust(24, b"\5")
        found += stream[place : place + PAGE - 24]
        place += PAGE - 24
    return found


def stream_of(data: bytes) -> bytes:
    """What a segment holds without the headers of its pages."""
    pages = [data[place : place + PAGE] for place in range(0, len(data), PAGE)]
    return b"".join(page[24 if number else 40 :] for number, page in enumerate(pages))


@pytest.mark.parametrize(
    "filler", [b"\0" * 8, b"\0\5\0\0" * 2, b"\x40\0\0\0" * 4, bytes(range(256))]
)
def test_a_record_is_found_wherever_it_begins(filler: bytes, tmp_path: Path) -> None:
    """Also where it goes on behind the header of the next page; nothing else is changed."""
    path = tmp_path / "000000010000000000000005"
    ends = (PAGE - 40, PAGE - 40 + PAGE - 24)
    places = [0, 8, 4096, *(end - back for end in ends for back in range(0, 120, 8))]
    for offset in places:
        offset -= offset % 8  # noqa: PLW2901
        for where in ("/srv/a tablespace", "/" + "x" * 300):
            record = create(where, AT)
            before = segment(record, offset, filler)
            path.write_bytes(before)
            assert keep_inside(path) == [where], offset
            after = path.read_bytes()
            found = stream_of(after)[offset : offset + len(record)]
            assert found[20:24] == checksum(found).to_bytes(4, "little")
            assert found.count(b"\0" + where[1:].encode()) == 1
            changed = sum(a != b for a, b in zip(before, after, strict=True))
            assert 1 <= changed <= 5
            assert keep_inside(path) == [] and path.read_bytes() == after


def test_other_records_stay_as_they_are(tmp_path: Path) -> None:
    """One whose checksum is another is none; DROP TABLESPACE has no path."""
    path = tmp_path / "000000010000000000000005"
    record = create("/srv/x", AT)
    for other in (record[:-3] + b"y\0", record[:16] + b"\x10" + record[17:], b"\5" * 64):
        data = segment(other, 4096, b"\0" * 8)
        path.write_bytes(data)
        assert keep_inside(path) == []
        assert path.read_bytes() == data


def test_a_record_that_goes_on_in_the_next_segment_is_not_replayed(tmp_path: Path) -> None:
    """It could not be changed; the drill ends before a server sees it."""
    path = tmp_path / "000000010000000000000005.1"
    path.write_bytes(segment(b"", 0, b"\0" * 8))
    with path.open("r+b") as file:
        file.seek(-32, os.SEEK_END)
        file.write(create("/srv/x", AT)[:32])
    with pytest.raises(CouldNotRun, match="000000010000000000000005 ends within CREATE TABLESPACE"):
        keep_inside(path)


def test_what_is_no_segment_is_left_alone(tmp_path: Path) -> None:
    """Empty, or something else: the server says so."""
    for data in (b"", b"x" * SIZE):
        (tmp_path / "other").write_bytes(data)
        assert keep_inside(tmp_path / "other") == []

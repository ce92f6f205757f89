"""Damage of the archived WAL: PostgreSQL takes it for the end of it, and a drill does not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.recovery.model import Recovered
from tests.helpers.physical import Source, majors, source
from tests.helpers.recoveries import events_in, physical_of, recovered


@dataclass
class Shop:
    """A server with a base backup whose archive has four segments with a transaction in each."""

    server: Source
    backup: Path
    without_wal: Path
    segments: list[str]
    times: list[str]


@pytest.fixture(scope="module", params=majors(15, 18))
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """One, two, three and four; each ends its segment."""
    with source(request.param, rows=20) as server:
        backup = server.base_backup("backup")
        bare = server.base_backup("bare", "--wal-method=none")
        times, segments = [], []
        for name in ("one", "two", "three", "four"):
            times.append(server.commit(name)[1])
            segments.append(server.switch())
        yield Shop(server, backup, bare, segments, times)


@pytest.fixture
def wal(shop: Shop, tmp_path: Path) -> Path:
    """Copy of its archive that a test may damage."""
    return Path(shutil.copytree(shop.server.archive, tmp_path / "wal"))


def flip(path: Path, at: int) -> None:
    """Turn one bit of the byte `at`."""
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def causes(found: Recovered) -> list[str]:
    """Causes of its faults."""
    return [cause for _, cause in found.faults]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_missing_segment_is_a_gap(shop: Shop, wal: Path, number: int) -> None:
    """It is named, with how much is lost; what precedes it is there."""
    (wal / shop.segments[number]).unlink()
    with recovered(shop.backup, wal=wal) as found:
        assert causes(found) == ["gap"]
        assert f"{shop.segments[number]} is missing" in found.faults[0][0]
        assert "of WAL behind" in found.faults[0][0]
        assert "lost are the transactions that ended after" in found.faults[0][0]
        assert len(events_in(found)) == number


def test_several_missing_segments_are_one_gap(shop: Shop, wal: Path) -> None:
    """First and last are named."""
    for name in shop.segments[1:3]:
        (wal / name).unlink()
    with recovered(shop.backup, wal=wal) as found:
        assert causes(found) == ["gap"]
        assert "2 segments are missing" in found.faults[0][0]


def test_the_newest_segment_may_not_be_missing_where_a_file_names_it(shop: Shop, wal: Path) -> None:
    """The history of a later base backup lies there, and so does its segment in Barman's list."""
    for name in shop.segments[2:]:
        (wal / name).unlink()
    (wal / f"{shop.segments[3]}.00000028.backup").write_text("START WAL LOCATION: 0/7000028\n")
    with recovered(shop.backup, wal=wal) as found:
        assert causes(found) == ["gap"]
        assert f"once had {shop.segments[3]}" in found.faults[0][0]
    (wal / f"{shop.segments[3]}.00000028.backup").unlink()
    (wal / "xlog.db").write_text(f"{shop.segments[2]}\t16777216\t1700000000.0\tNone\n")
    with recovered(shop.backup, wal=wal) as found:
        assert causes(found) == ["gap"]


def test_the_newest_segment_may_be_missing(shop: Shop, wal: Path) -> None:
    """No archive says that it once was there: all that it has was replayed."""
    (wal / shop.segments[3]).unlink()
    with recovered(shop.backup, wal=wal) as found:
        assert not found.faults
        assert events_in(found) == ["one", "two", "three"]


@pytest.mark.parametrize("number", [0, 2, 3])
def test_a_bit_in_a_record_is_damage(shop: Shop, wal: Path, number: int) -> None:
    """In the newest segment too, where nothing else follows that could be missed."""
    flip(wal / shop.segments[number], 200)
    with recovered(shop.backup, wal=wal) as found:
        assert causes(found) == ["wal_damaged"]
        assert "not in the copy" in found.faults[0][0]
        assert len(events_in(found)) == number


def test_a_bit_behind_the_target_does_not_matter(shop: Shop, wal: Path) -> None:
    """Recovery stops before it."""
    flip(wal / shop.segments[2], 200)
    with recovered(shop.backup, shop.times[0], wal=wal) as found:
        assert not found.faults
        assert events_in(found) == ["one"]


def test_a_gap_behind_the_target_is_a_warning(shop: Shop, wal: Path) -> None:
    """It is reached; a later one could not be."""
    (wal / shop.segments[2]).unlink()
    with recovered(shop.backup, shop.times[0], wal=wal) as found:
        assert not found.faults
        assert f"a gap behind the goal of this recovery: {shop.segments[2]}" in found.warnings[0]
    with recovered(shop.backup, shop.times[0], wal=shop.server.archive) as found:
        assert not found.warnings


def test_a_gap_before_the_target_fails(shop: Shop, wal: Path) -> None:
    """And is named."""
    (wal / shop.segments[1]).unlink()
    with (
        pytest.raises(BackupFault, match="recovery ended there") as failure,
        recovered(shop.backup, shop.times[2], wal=wal),
    ):
        pass
    assert f"has a gap: {shop.segments[1]} is missing" in failure.value.what


def test_another_segment_under_its_name_is_damage(shop: Shop, wal: Path) -> None:
    """Its header says so."""
    shutil.copyfile(wal / shop.segments[1], wal / shop.segments[2])
    with recovered(shop.backup, wal=wal) as found:
        assert causes(found) == ["wal_damaged"]
        assert events_in(found) == ["one", "two"]


def test_a_segment_of_another_server_is_damage(shop: Shop, wal: Path) -> None:
    """Its header has another system identifier."""
    flip(wal / shop.segments[2], 24)
    with recovered(shop.backup, wal=wal) as found:
        assert causes(found) == ["wal_damaged", "foreign"]
        assert shop.segments[2] in found.faults[0][0]


@pytest.mark.parametrize("size", [0, 5000])
def test_a_cut_segment_is_damage(shop: Shop, wal: Path, size: int) -> None:
    """An empty one too."""
    with (wal / shop.segments[3]).open("r+b") as file:
        file.truncate(size)
    with recovered(shop.backup, wal=wal) as found:
        assert causes(found) == ["wal_damaged"]
        assert shop.segments[3] in found.faults[0][0]
        assert events_in(found) == ["one", "two", "three"]


def test_a_backup_without_its_wal_needs_the_archive(shop: Shop) -> None:
    """It fails without one, and recovers with it."""
    with (
        pytest.raises(BackupFault, match="first WAL that the backup needs is missing"),
        recovered(shop.without_wal),
    ):
        pass
    with recovered(shop.without_wal, wal=shop.server.archive) as found:
        assert not found.faults
        assert len(events_in(found)) == 4


def test_a_missing_first_segment_fails(shop: Shop, wal: Path) -> None:
    """Nothing can begin without it."""
    (wal / physical_of(shop.without_wal).first_segment).unlink()
    with (
        pytest.raises(BackupFault, match="first WAL that the backup needs is missing"),
        recovered(shop.without_wal, wal=wal),
    ):
        pass


def test_an_archive_without_its_wal_is_a_fault(shop: Shop, tmp_path: Path) -> None:
    """A wrong folder, or archiving that does not work: nothing newer than the backup is there."""
    with recovered(shop.backup, wal=tmp_path) as found:
        assert causes(found) == ["archive_empty"]


def test_an_archive_that_cannot_be_read_breaks_the_drill_off(shop: Shop, tmp_path: Path) -> None:
    """Nobody knows then what it has."""
    with pytest.raises(CouldNotRun), recovered(shop.backup, wal=tmp_path / "nowhere"):
        pass

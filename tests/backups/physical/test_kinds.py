"""What a base backup says of itself, by its files alone, in each of its forms."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import BASE, CHAIN, COLD, PLAIN, TAR, Physical
from tests.helpers.physical import Source, copied

TARS = {
    "tar": "", "gzip": "gzip", "lz4": "lz4", "zstd": "zstd",
    "fetch": "", "fetch gzip": "gzip", "none": "",
}  # fmt: skip


def known(path: Path) -> Physical:
    """The physical backup at `path`."""
    found = physical_at(path)
    assert found is not None
    return found


def system_of(source: Source) -> str:
    """System identifier of a server, as it says itself."""
    return str(source.sql("SELECT system_identifier FROM pg_control_system()"))


def test_plain_base_backup_says_all_of_itself(source15: Source) -> None:
    """Kind, server, where it begins and ends, its tablespace, its times, its WAL."""
    found = known(source15.folder / "plain")

    assert (found.kind, found.newest.form, found.major) == (BASE, PLAIN, 15)
    assert found.system == system_of(source15)
    assert found.start_lsn is not None and found.stop_lsn is not None
    assert found.start_lsn < found.stop_lsn
    assert found.first_segment == source15.sql(
        f"SELECT pg_walfile_name('0/0'::pg_lsn + {found.start_lsn})"
    )
    assert found.segment_size == 1 << 24
    (space,) = found.tablespaces
    assert space.location == f"{source15.folder}/plain.ts1"
    assert found.has_wal and found.has_label and not found.shut_down
    assert found.wal_size >= found.segment_size
    assert found.size > 20e6
    assert found.started_at is not None and found.stopped_at is not None
    assert timedelta(0) <= found.stopped_at - found.started_at < timedelta(seconds=60)


@pytest.mark.parametrize("form", TARS)
def test_tars_say_the_same_in_each_compression(form: str, source15: Source) -> None:
    """Also where the WAL lies in base.tar; without WAL that is said."""
    plain, found = known(source15.folder / "plain"), known(source15.folder / form)

    assert (found.kind, found.newest.form, found.major) == (BASE, TAR, 15)
    assert found.compression == TARS[form]
    assert found.system == plain.system or form == "none"
    assert found.has_wal is (form != "none")
    assert found.start_lsn is not None and found.stop_lsn is not None
    assert found.start_lsn < found.stop_lsn
    assert found.tablespaces[0].location == str(source15.tablespace)
    assert 0.9 * plain.size < found.size < 1.1 * plain.size
    assert found.wal_size == (0 if form == "none" else found.segment_size)
    assert found.started_at is not None
    assert abs(datetime.now(UTC) - found.started_at) < timedelta(minutes=10)


def test_times_of_a_copy_prove_nothing(source15: Source, tmp_path: Path) -> None:
    """A copy that has not kept the times of its files does not make the backup younger."""
    copy = tmp_path / "copy"
    shutil.copytree(source15.folder / "plain", copy, symlinks=True, copy_function=shutil.copyfile)
    label = copy / "backup_label"
    text = label.read_text().replace("START TIME: 20", "START TIME: 19")
    label.write_text(text)

    found = known(copy)

    assert found.started_at is not None and found.started_at.year < 2000
    assert found.stopped_at is None


def test_copied_data_directory_is_whole_when_shut_down(source15: Source, tmp_path: Path) -> None:
    """A copy has no label; whether its server was shut down stands in pg_control."""
    running = copied(source15.data, tmp_path / "running")
    (running / "postmaster.pid").unlink()
    source15.stop()
    try:
        cold = known(copied(source15.data, tmp_path / "cold"))
    finally:
        source15.start()
    crashed = known(running)

    assert cold.kind == crashed.kind == COLD
    assert (cold.has_label, cold.shut_down) == (False, True)
    assert (crashed.has_label, crashed.shut_down) == (False, False)
    assert cold.start_lsn is not None and cold.has_wal
    assert cold.stopped_at is not None and cold.stopped_at <= datetime.now(UTC)
    assert cold.system == system_of(source15)


def test_chain_of_increments_is_found_among_its_neighbours(source18: Source) -> None:
    """By the LSN from which each one is; the full one first, tars among them."""
    folder = source18.folder

    found = known(folder / "inc3")

    assert found.kind == CHAIN
    assert [each.path.name for each in found.members] == ["full", "inc1", "inc2", "inc3"]
    assert [each.form for each in found.members] == [PLAIN, PLAIN, PLAIN, TAR]
    assert found.major == 18 and found.system == system_of(source18)
    assert found.size > known(folder / "full").size
    assert known(folder / "full").kind == BASE


def test_chain_lacks_what_lies_nowhere(source18: Source, tmp_path: Path) -> None:
    """A member that is not there ends the chain; members of other servers are none of it."""
    place = tmp_path / "far" / "away"  # not beside the copies of other tests
    place.mkdir(parents=True)
    for name in ("full", "inc2"):
        copied(source18.folder / name, place / name)

    found = known(place / "inc2")

    assert [each.path.name for each in found.members] == ["inc2"]
    assert found.kind == CHAIN


def test_what_is_no_backup_is_none(source15: Source, tmp_path: Path) -> None:
    """A folder of WAL, a tablespace, an empty folder, a file."""
    (tmp_path / "file").write_bytes(b"15\n")
    for path in (source15.archive, source15.tablespace, tmp_path, tmp_path / "file"):
        assert physical_at(path) is None

"""WAL is read through without recovering: what a recovery would stumble over is named."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import Physical
from restore_drill.recovery import walcheck
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.surveying import survey_of
from restore_drill.recovery.walcheck import Checked, check_wal
from tests.helpers.physical import Source, source
from tests.helpers.promotions import promote, resized
from tests.helpers.shop import quiet

MB = 1 << 20
Filled = tuple[Source, Physical]


@pytest.fixture(scope="module")
def filled() -> Iterator[Filled]:
    """Full segments of a megabyte on two timelines, with records over their ends; a backup."""
    with source(rows=50) as found:
        resized(found, 1)
        backup = found.base_backup("backup", "-X", "none")
        for _ in range(2):
            found.sql("INSERT INTO bare SELECT n, md5(n::text) FROM generate_series(1, 80000) n")
            if found.sql("SELECT timeline_id FROM pg_control_checkpoint()") == 1:
                promote(found)
        found.switch()
        physical = physical_at(backup)
        assert physical is not None
        yield found, physical


@pytest.fixture
def archive(filled: Filled, tmp_path: Path) -> Path:
    """A copy of its archive."""
    return Path(shutil.copytree(filled[0].archive, tmp_path / "archive"))


def check(filled: Filled, archive: Path) -> Checked:
    """Read it through."""
    found, physical = filled
    folder = Folder(archive)
    there = survey_of(folder, physical)
    return check_wal(folder, physical, there, found.binaries, found.launcher, quiet)


def needed(filled: Filled, archive: Path) -> list[str]:
    """Names of the segments from the backup's first on that a recovery needs."""
    there = survey_of(Folder(archive), filled[1])
    return [
        name
        for name in Folder(archive).names()
        if len(name) == 24
        and any(
            int(name[:8], 16) == each.timeline
            and each.first <= int(name[16:], 16) <= (each.last or 4095)
            for each in there.path
        )
    ]


@pytest.mark.parametrize("room", [1, 3, 128])
def test_sound_wal_is_read_to_its_end(
    filled: Filled, archive: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over records that go on in the next segment, and over a promotion; some at a time or all."""
    monkeypatch.setattr(walcheck, "ROOM", room * MB)
    names = needed(filled, archive)
    assert len(names) > 10 and len({name[:8] for name in names}) == 2
    assert check(filled, archive) == Checked(len(names), [])


def flip(path: Path) -> None:
    """Flip a bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    """Cut it in half."""
    os.truncate(path, path.stat().st_size // 2)


def zero_a_page(path: Path) -> None:
    """Fill a page with zeros."""
    data = path.read_bytes()
    path.write_bytes(data[: 40 * 8192] + bytes(8192) + data[41 * 8192 :])


def another_page(path: Path) -> None:
    """Put another page in the place of one."""
    data = path.read_bytes()
    page = data[20 * 8192 : 21 * 8192]
    path.write_bytes(data[: 40 * 8192] + page + data[41 * 8192 :])


def foreign(path: Path) -> None:
    """Let it be of another cluster."""
    data = path.read_bytes()
    path.write_bytes(data[:24] + b"\1" * 8 + data[32:])


def compress_and_cut(path: Path) -> None:
    """Compress it, and cut that."""
    packed = gzip.compress(path.read_bytes(), 1)
    path.with_name(f"{path.name}.gz").write_bytes(packed[: len(packed) // 2])
    path.unlink()


DAMAGES: list[Callable[[Path], None]] = [
    flip, cut, zero_a_page, another_page, foreign, compress_and_cut,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("room", [3, 128])
def test_each_damage_is_named(
    filled: Filled,
    archive: Path,
    damage: Callable[[Path], None],
    room: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In any segment that is full: the name of its file is in the fault, and nothing else."""
    monkeypatch.setattr("restore_drill.recovery.archives.growing.STILL", 0.01)
    monkeypatch.setattr(walcheck, "ROOM", room * MB)
    for name in needed(filled, archive)[3:9:2]:
        before = (archive / name).read_bytes()
        damage(archive / name)
        (fault,) = check(filled, archive).faults
        assert f"the WAL file {name} is damaged: " in fault.what
        (archive / f"{name}.gz").unlink(missing_ok=True)
        (archive / name).write_bytes(before)


def test_what_is_beside_a_gap_is_read_all_the_same(filled: Filled, archive: Path) -> None:
    """The gap itself is known by names; a damage behind it is found too."""
    names = needed(filled, archive)
    (archive / names[4]).unlink()
    assert check(filled, archive) == Checked(len(names) - 1, [])
    flip(archive / names[6])
    (fault,) = check(filled, archive).faults
    assert names[6] in fault.what

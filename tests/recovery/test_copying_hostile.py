"""Folders that no server has written, and copies that are disturbed: nothing is left, or taken."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restore_drill.backups.physical.model import COLD, Member, Physical
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.recovery.copies import beside, work
from restore_drill.recovery.copies.listing import Listing, Place
from restore_drill.recovery.copies.missing import MAY_BE_EMPTY
from restore_drill.recovery.copying import Copied, copy_backup
from restore_drill.servers.cleanup import MEMORY
from restore_drill.servers.launcher import choose_launcher
from tests.helpers.copies import run_directory
from tests.helpers.shop import quiet


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A folder in the shape of a data directory."""
    found = tmp_path / "backup"
    for each in ("base/1", "global", "pg_wal", "pg_xact", "pg_tblspc", "pg_replslot/moved"):
        (found / each).mkdir(parents=True)
    for each in ("PG_VERSION", "global/pg_control", "base/1/1259", "pg_replslot/moved/state"):
        (found / each).write_bytes(os.urandom(10_000))
    return found


@pytest.fixture
def run() -> Iterator[Path]:
    """A run directory."""
    with run_directory() as found:
        yield found


def copy(backup: Path, run: Path, progress: Callable[[str], None] = quiet) -> Copied:
    """What comes of copying the folder."""
    physical = Physical(COLD, backup, (Member(backup),), 15, has_label=False)
    return copy_backup(physical, run / "data", progress)


def left_in(run: Path) -> list[str]:
    """What lies in the run directory, and in the data directory there."""
    return sorted(str(each.relative_to(run)) for each in run.rglob("*"))


def test_holes_stay_holes(backup: Path, run: Path) -> None:
    """At the beginning, in the middle, at the end."""
    sparse = backup / "base/1/16384"
    with sparse.open("wb") as file:
        for place in (1 << 20, 5 << 20, (40 << 20) + 100):
            file.seek(place)
            file.write(b"data" * 1000)
        file.truncate(64 << 20)
    (backup / "base/1/16385").touch()
    os.truncate(backup / "base/1/16385", 8 << 20)
    copy(backup, run)
    for name in ("base/1/16384", "base/1/16385"):
        found = run / "data" / name
        assert found.read_bytes() == (backup / name).read_bytes()
        assert found.stat().st_blocks <= (backup / name).stat().st_blocks + 64


def test_more_than_the_disk_holds_is_refused_before_anything_is_copied(
    backup: Path, run: Path
) -> None:
    """A file of four terabytes, all of it a hole."""
    (backup / "base/1/16384").touch()
    os.truncate(backup / "base/1/16384", 4 << 40)
    with pytest.raises(CouldNotRun, match=r"not enough space.* free, 4\.4 TB needed"):
        copy(backup, run)
    assert left_in(run) == ["data"]


def test_hard_links_become_files_of_their_own(backup: Path, run: Path) -> None:
    """Barman keeps unchanged files of several backups so."""
    (backup / "base/1/2600").hardlink_to(backup / "base/1/1259")
    copy(backup, run)
    first, second = run / "data/base/1/1259", run / "data/base/1/2600"
    assert first.stat().st_ino != second.stat().st_ino and first.stat().st_nlink == 1
    assert first.read_bytes() == second.read_bytes()


def test_names_of_any_bytes_are_copied_and_never_printed(backup: Path, run: Path) -> None:
    """An end of a line, bytes that are no UTF-8; a message shows them spelled out."""
    names = [b"with\nline", b"\xff\xfe", b"\x1b[31m", b"-rf"]
    for name in names:
        Path(os.fsdecode(bytes(backup / "base/1") + b"/" + name)).write_bytes(name)
    copy(backup, run)
    for name in names:
        assert Path(os.fsdecode(bytes(run / "data/base/1") + b"/" + name)).read_bytes() == name
    os.mkfifo(backup / "base/1/\x1b[31m\npipe")
    with run_directory() as other, pytest.raises(BackupFault) as caught:
        copy(backup, other)
    assert "\\x1b[31m\\npipe is no plain file" in str(caught.value)


def test_what_belongs_to_a_run_of_a_server_is_left_out(backup: Path, run: Path) -> None:
    """Slots, temporary files, its log; folders that a server asks for are made, if missing."""
    for name in ("postmaster.pid", "log/postgresql.log", "base/pgsql_tmp/pgsql_tmp1.0"):
        (backup / name).parent.mkdir(exist_ok=True)
        (backup / name).write_bytes(b"x")
    copy(backup, run)
    kept = ["data", "data/PG_VERSION", "data/base", "data/base/1", "data/base/1/1259",
            "data/global", "data/global/pg_control", "data/pg_wal", "data/pg_xact"]  # fmt: skip
    assert left_in(run) == sorted([*kept, *(f"data/{each}" for each in MAY_BE_EMPTY)])


@pytest.mark.parametrize("disturb", ["append", "truncate", "replace"])
def test_a_file_that_changes_while_it_is_copied_ends_the_copy(
    disturb: str, backup: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that writes the backup, or a server that runs on it."""
    monkeypatch.setattr(work, "TICK", 0.0)
    monkeypatch.setattr(beside, "MOST", 1)
    path = backup / "base/1/1259"

    def change(_line: str) -> None:
        if disturb == "append":
            with path.open("ab") as file:
                file.write(b"x")
        elif disturb == "truncate":
            os.truncate(path, max(0, path.stat().st_size - 1))
        else:
            path.unlink(missing_ok=True)
            path.symlink_to("/etc/passwd")

    with pytest.raises(CouldNotRun, match="the backup changed while it was copied"):
        copy(backup, run, change)
    assert left_in(run) == ["data"]


@pytest.mark.parametrize("after", [1, 3, 8])
def test_an_interrupted_copy_leaves_nothing(
    after: int, backup: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C, or a limit, wherever it comes."""
    monkeypatch.setattr(work, "TICK", 0.0)
    monkeypatch.setattr(beside, "MOST", 1)
    calls = iter(range(after))

    def interrupt(_line: str) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(backup, run, interrupt)
    assert left_in(run) == ["data"]


@pytest.mark.parametrize("number", [5, 150, 299])
def test_what_fails_in_one_thread_ends_all(number: int, backup: Path, run: Path) -> None:
    """A file that cannot be read as one among many, whichever thread comes to it."""
    for each in range(300):
        (backup / f"base/1/{20000 + each}").write_bytes(bytes(1000))
    broken = backup / f"base/1/{20000 + number}"
    listing = Listing(str(backup))
    listing.add(Place(str(backup), str(run / "data")))
    broken.unlink()
    broken.symlink_to("/etc/passwd")
    (run / "data").mkdir()
    before = threading.active_count()
    with pytest.raises(CouldNotRun, match=f"changed while it was copied: {broken}"):
        beside.copy_all(listing, work.Work(run / "data", choose_launcher(), quiet))
    assert threading.active_count() <= before


def test_many_files_are_all_copied(backup: Path, run: Path) -> None:
    """By several threads: each once, whatever its size."""
    for each in range(600):
        (backup / f"base/1/{20000 + each}").write_bytes(bytes([each % 256]) * each)
    found = copy(backup, run)
    assert found.bytes == 30_000 + sum(range(600))
    for each in range(600):
        assert (run / f"data/base/1/{20000 + each}").read_bytes() == bytes([each % 256]) * each


@pytest.mark.skipif(not MEMORY.is_dir(), reason="no second file system")
def test_a_copy_goes_to_another_file_system(backup: Path) -> None:
    """Where the kernel copies nothing by itself; holes stay there too."""
    (backup / "base/1/16384").write_bytes(os.urandom(3 << 20))
    os.truncate(backup / "base/1/16384", 32 << 20)
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="drill-copied-") as folder:
        found = copy(backup, Path(folder))
        assert found.bytes == 30_000 + (3 << 20)
        copied = Path(folder) / "data/base/1/16384"
        assert copied.read_bytes() == (backup / "base/1/16384").read_bytes()
        assert copied.stat().st_blocks * 512 < 4 << 20


def test_a_folder_deeper_than_any_path_is_a_fault(backup: Path, run: Path) -> None:
    """Names of 200 bytes, 30 folders deep."""
    here = os.open(backup / "base", os.O_RDONLY)
    try:
        for _ in range(30):
            os.mkdir("d" * 200, dir_fd=here)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    with pytest.raises(BackupFault, match=r"cannot be read|cannot be"):
        copy(backup, run)
    assert left_in(run) == ["data"]

"""A server that recovers gets its WAL from us, and nothing that is damaged passes for it."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.fetching import Fetcher
from tests.helpers.physical import Source, source
from tests.helpers.replay import replay, run_directory

Archived = tuple[Source, Path, list[str]]


@pytest.fixture(scope="module")
def archived() -> Iterator[Archived]:
    """A server with a base backup, and names of six segments, each with a commit of its number."""
    with source(rows=50) as found:
        backup = found.base_backup("backup")
        names = []
        for number in range(6):
            found.commit(f"commit {number}")
            names.append(found.switch())
        yield found, backup, names


@pytest.fixture
def archive(archived: Archived, tmp_path: Path) -> Path:
    """A copy of its archive, which a test may damage."""
    return Path(shutil.copytree(archived[0].archive, tmp_path / "archive"))


def recovered(archived: Archived, archive: Path) -> tuple[list[str], Fetcher, str]:
    """Commits in the recovered server, what has fetched for it, and its log."""
    found, backup, _ = archived
    with (
        run_directory(found) as run,
        Fetcher(Folder(archive), run, found.launcher) as fetcher,
        replay(found, run, backup, fetcher.command) as server,
    ):
        assert server.wait(), server.log()
        return server.events(), fetcher, server.log()


def commits(count: int) -> list[str]:
    """The first of them."""
    return [f"commit {number}" for number in range(count)]


def test_all_wal_of_an_archive_is_replayed(archived: Archived, archive: Path) -> None:
    """Each file that the server asked for is noted, with its answer."""
    events, fetcher, _ = recovered(archived, archive)
    assert events == commits(6)
    assert [each.name for each in fetcher.asked if each.found and len(each.name) == 24][:7]
    assert {each.name for each in fetcher.asked if each.found} >= set(archived[2])
    assert ("00000002.history", False) in [(each.name, each.found) for each in fetcher.asked]
    assert fetcher.faults == []
    fetcher.check()


def cut(path: Path) -> None:
    """Cut the file in half."""
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    """Take all of it away."""
    os.truncate(path, 0)


def of_another_cluster(path: Path) -> None:
    """Change the system identifier in its first page."""
    with path.open("r+b") as file:
        file.seek(24)
        file.write(b"\1\2\3\4\5\6\7\x08")


def another_content(path: Path) -> None:
    """Put the content of the segment before in its place."""
    shutil.copyfile(path.with_name(f"{path.name[:-1]}{int(path.name[-1], 16) - 1:X}"), path)


def compressed_and_cut(path: Path) -> None:
    """Compress it, and cut that."""
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    cut(packed)


def a_folder(path: Path) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "it has 8,388,608 bytes of 16,777,216"),
        (empty, "it is empty"),
        (of_another_cluster, "it is of another cluster: system identifier 578437695752307201"),
        (another_content, "it holds the WAL of another segment, 0000000100000000000000"),
        (compressed_and_cut, "it cannot be decompressed (gzip)"),
        (a_folder, "it is no plain file"),
    ],
)
def test_a_damaged_segment_is_a_fault_and_not_the_end(
    archived: Archived,
    archive: Path,
    damage: object,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server comes up with what precedes it, and the file is named."""
    monkeypatch.setattr("restore_drill.recovery.archives.growing.STILL", 0.1)
    name = archived[2][3]
    assert callable(damage)
    damage(archive / name)
    events, fetcher, _ = recovered(archived, archive)
    assert events == commits(3)
    (fault,) = {each.error.what for each in fetcher.faults}
    assert fault.startswith(f"the WAL file {name} is damaged: {words}")
    assert any(each.name == name and not each.found and each.why_not for each in fetcher.asked)


def test_a_damage_behind_the_target_is_no_fault(archived: Archived, archive: Path) -> None:
    """It is fetched ahead, but the server has not asked for it.

    From 15 on the server reads ahead itself, segments that are almost empty by the dozen.
    """
    found, backup, names = archived
    ends = {"recovery_target": "immediate", "recovery_prefetch": "off"}
    empty(archive / names[5])
    with (
        run_directory(found) as run,
        Fetcher(Folder(archive), run, found.launcher) as fetcher,
        replay(found, run, backup, fetcher.command, **ends) as server,
    ):
        assert server.wait(), server.log()
    assert names[5] in fetcher.ahead.coming
    assert fetcher.faults == []


def test_an_archive_that_goes_ends_the_recovery(archived: Archived, archive: Path) -> None:
    """What is not there any more is no end of the WAL: the server does not come up."""
    found, backup, _ = archived
    folder = Folder(archive)
    shutil.rmtree(archive)
    with (
        run_directory(found) as run,
        Fetcher(folder, run, found.launcher) as fetcher,
        replay(found, run, backup, fetcher.command) as server,
    ):
        assert not server.wait()
    with pytest.raises(CouldNotRun, match="cannot be read: No such file or directory"):
        fetcher.check()


def test_a_hole_is_told_from_the_end(archived: Archived, archive: Path) -> None:
    """A segment that is missing, while there are newer ones; the end of the archive is none."""
    name = archived[2][3]
    (archive / name).unlink()
    events, fetcher, _ = recovered(archived, archive)
    assert events == commits(3)
    assert fetcher.holes == [name]
    assert fetcher.faults == []

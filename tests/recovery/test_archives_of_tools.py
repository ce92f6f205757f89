"""WAL comes from the repositories of pgBackRest and Barman, as the tools themselves leave it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.repositories import use_pgbackrest
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.recovery.archives.choice import archive_of
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.model import Archive
from tests.helpers.physical import Source, source
from tests.helpers.promotions import promote
from tests.helpers.replay import replay, run_directory
from tests.helpers.repositories import (
    STANZA,
    Barman,
    Rest,
    barman_server,
    pgbackrest_repository,
)
from tests.helpers.surveys import survey_of

SECRET = {"repo1-cipher-type": "aes-256-cbc", "repo1-cipher-pass": "verysecret"}
Kept = tuple[Rest, Path, list[str]]


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    """A repository with three commits, each in a segment, and a base backup beside it."""
    settings = {"compress-type": "zst"} if request.param == "plain" else SECRET
    with source(rows=50) as found:
        rest = pgbackrest_repository(found, **settings)
        backup = found.base_backup("backup")
        names: list[str] = []
        for number in range(3):
            found.commit(f"commit {number}")
            names.append(found.switch())
        until_pushed(rest, names[-1])
        yield rest, backup, names


def until_pushed(rest: Rest, name: str) -> None:
    """Wait until the segment `name` is in the repository."""
    until = time.monotonic() + 30
    while not list((rest.path / "archive").rglob(f"{name}-*[0-9a-z]")) or list(
        (rest.path / "archive").rglob("*.tmp")
    ):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def copy(kept: Kept, tmp_path: Path) -> Iterator[Rest]:
    """A copy of the repository, which a test may damage, and its configuration in use."""
    rest = kept[0]
    path, config = tmp_path / "repo", tmp_path / "repo.conf"
    shutil.copytree(rest.path, path)
    config.write_text(rest.config.read_text().replace(str(rest.path), str(path)))
    use_pgbackrest(PgBackRest(STANZA, config))
    yield Rest(rest.source, path, config)
    use_pgbackrest(None)


def archive_for(backup: Path, path: Path) -> tuple[Archive, Physical]:
    """The archive at `path`, and what the base backup beside it says."""
    physical = physical_at(backup)
    assert physical is not None
    archive = archive_of(physical, path)
    assert archive is not None
    return archive, physical


def recovered(found: Source, backup: Path, archive: Archive) -> tuple[list[str], Fetcher]:
    """Commits in a server that has recovered from `archive`, and what has fetched for it."""
    with (
        run_directory(found) as run,
        Fetcher(archive, run, found.launcher) as fetcher,
        replay(found, run, backup, fetcher.command) as server,
    ):
        assert server.wait(), server.log()
        return server.events(), fetcher


def file_of(rest: Rest, name: str) -> Path:
    """The file of a segment."""
    (found,) = (rest.path / "archive").rglob(f"{name}-*")
    return found


def test_wal_comes_from_a_repository(kept: Kept, copy: Rest) -> None:
    """Compressed or encrypted, by pgBackRest's own program."""
    _, backup, names = kept
    archive, physical = archive_for(kept[1], copy.path)
    assert set(archive.names()) >= set(names)
    found = survey_of(archive, physical)
    assert (found.gaps, found.newest) == ((), names[-1])
    events, fetcher = recovered(copy.source, backup, archive)
    assert events == ["commit 0", "commit 1", "commit 2"]
    assert fetcher.faults == [] and fetcher.trouble is None


def test_a_flipped_bit_is_found_by_its_checksum(kept: Kept, copy: Rest) -> None:
    """PostgreSQL takes what archive-get says of it for the end of the WAL."""
    _, backup, names = kept
    path = file_of(copy, names[1])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    archive, _ = archive_for(kept[1], copy.path)
    events, fetcher = recovered(copy.source, backup, archive)
    assert events == ["commit 0"]
    assert {each.name for each in fetcher.faults} == {names[1]}


def test_content_under_a_wrong_checksum_is_a_fault(kept: Kept, copy: Rest, tmp_path: Path) -> None:
    """Whole and decompressed, but not what was archived; two that differ are one too."""
    _, _, names = kept
    one, other = file_of(copy, names[1]), file_of(copy, names[2])
    archive, _ = archive_for(kept[1], copy.path)
    shutil.copyfile(other, one)
    with pytest.raises(BackupFault, match=f"the WAL file {names[1]} is damaged: its SHA-1 is"):
        archive.fetch(names[1], tmp_path / "to")
    shutil.copyfile(other, other.with_name(f"{names[2]}-{'0' * 40}{other.suffix}"))
    archive.names()
    with pytest.raises(BackupFault, match="the archive has 2 of that name that differ"):
        archive.fetch(names[2], tmp_path / "to")
    assert not list(tmp_path.glob("*.raw"))


def test_a_hole_and_a_repository_that_went_away(kept: Kept, copy: Rest, tmp_path: Path) -> None:
    """What is missing is a gap; where all is missing, nothing is said of the WAL."""
    names = kept[2]
    file_of(copy, names[1]).unlink()
    archive, physical = archive_for(kept[1], copy.path)
    assert [each.first for each in survey_of(archive, physical).gaps] == [names[1]]
    assert not archive.fetch(names[1], tmp_path / "to")
    assert archive.fetch(names[2], tmp_path / "to")
    shutil.rmtree(copy.path)
    for name in names:
        with pytest.raises(CouldNotRun, match="pgbackrest cannot read the stanza main"):
            archive.fetch(name, tmp_path / "to")


def test_a_wrong_passphrase_is_no_damage(kept: Kept, copy: Rest, tmp_path: Path) -> None:
    """And nothing of the file's bytes is shown."""
    text = copy.config.read_text()
    if "verysecret" not in text:
        return
    archive, _ = archive_for(kept[1], copy.path)
    copy.config.write_text(text.replace("verysecret", "other"))
    with pytest.raises(CouldNotRun) as caught:
        archive.fetch(kept[2][0], tmp_path / "to")
    assert "other" not in str(caught.value)
    assert all(line.isprintable() for line in str(caught.value).splitlines())


def test_nothing_runs_any_more_once_it_is_stopped(kept: Kept, copy: Rest, tmp_path: Path) -> None:
    """An interrupted drill waits for no pgbackrest."""
    archive, _ = archive_for(kept[1], copy.path)
    archive.stop()
    with pytest.raises(CouldNotRun, match="the drill ends"):
        archive.fetch("00000002.history", tmp_path / "to")


@pytest.fixture(scope="module")
def barman() -> Iterator[tuple[Barman, Path, list[str]]]:
    """A Barman server, a base backup, and commits on two timelines, some not sorted in yet."""
    with source(rows=50) as found:
        server = barman_server(found)
        backup = found.base_backup("backup")
        for number in range(2):
            found.commit(f"commit {number}")
            found.switch()
        server.run("archive-wal", "shop")
        assert promote(found) == 2
        found.commit("commit 2")
        last = found.switch()
        until = time.monotonic() + 30
        while not (server.server / "incoming" / last).exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        yield server, backup, [f"commit {number}" for number in range(3)]


def test_wal_comes_from_a_barman_server(barman: tuple[Barman, Path, list[str]]) -> None:
    """What it has received and not sorted in yet too, over a promotion."""
    server, backup, commits = barman
    archive, physical = archive_for(backup, server.server)
    found = survey_of(archive, physical)
    assert (found.gaps, found.newest[:8]) == ((), "00000002")
    assert archive_for(backup, server.server / "wals")[0].names() == archive.names()
    events, fetcher = recovered(server.source, backup, archive)
    assert events == commits
    assert fetcher.faults == []

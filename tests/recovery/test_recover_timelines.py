"""Timelines: the backup is older than a promotion, or was taken from a standby."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from restore_drill.core.errors import UsageError
from tests.helpers.physical import Source, majors, source
from tests.helpers.promotions import promote
from tests.helpers.recoveries import events_in, recovered


@dataclass
class Shop:
    """A server whose first timeline has `one`, and the second one `two`, after a backup."""

    server: Source
    backup: Path
    second: list[str]


@pytest.fixture(scope="module", params=majors(18, 15))
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """It was promoted; its archive has both timelines."""
    with source(request.param, rows=20) as server:
        backup = server.base_backup("backup")
        server.commit("one")
        server.switch()
        promote(server, "fast")
        second = []
        for name in ("two", "three"):
            server.commit(name)
            second.append(server.switch())
        yield Shop(server, backup, second)


@pytest.fixture
def wal(shop: Shop, tmp_path: Path) -> Path:
    """Copy of its archive that a test may damage."""
    return Path(shutil.copytree(shop.server.archive, tmp_path / "wal"))


def test_latest_follows_a_promotion(shop: Shop) -> None:
    """The newest timeline of the archive is replayed to its end."""
    with recovered(shop.backup, wal=shop.server.archive) as found:
        assert not found.faults
        assert found.evidence.timeline == 2
        assert events_in(found) == ["one", "two", "three"]


@pytest.mark.parametrize("timeline", ["current", "1"])
def test_the_first_timeline_can_be_asked_for(shop: Shop, timeline: str) -> None:
    """It ends where the second one was begun."""
    with recovered(shop.backup, wal=shop.server.archive, timeline=timeline) as found:
        assert not found.faults
        assert found.evidence.timeline == 1
        assert events_in(found) == ["one"]


def test_the_second_timeline_can_be_asked_for(shop: Shop) -> None:
    """By its number."""
    with recovered(shop.backup, wal=shop.server.archive, timeline="2") as found:
        assert not found.faults
        assert found.evidence.timeline == 2


def test_a_gap_on_the_second_timeline_is_a_fault(shop: Shop, wal: Path) -> None:
    """As on the first."""
    (wal / shop.second[0]).unlink()
    with recovered(shop.backup, wal=wal) as found:
        assert [cause for _, cause in found.faults] == ["gap"]
        assert shop.second[0] in found.faults[0][0]


def test_a_branch_that_was_left_is_not_the_latest() -> None:
    """The new timeline has a history, and no segment yet: PostgreSQL goes on along the old one."""
    with source(15, rows=20) as server:
        backup = server.base_backup("backup")
        server.commit("one")
        server.restore_point("here")
        server.commit("left behind")
        server.switch()
        server.commit("later")
        server.switch()
        server.stop()
        shutil.rmtree(server.data)
        shutil.copytree(backup, server.data, symlinks=True)
        with (server.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"restore_command = 'cp {server.archive}/%f %p 2> /dev/null'\n")
            file.write("recovery_target_name = 'here'\nrecovery_target_action = 'promote'\n")
        (server.data / "recovery.signal").touch()
        for path in (server.data, *server.data.rglob("*")):
            server.launcher.own(path)
        server.start()
        until = time.monotonic() + 30
        while not (server.archive / "00000002.history").exists():
            assert time.monotonic() < until, server.log()[-2000:]
            time.sleep(0.02)
        name = server.sql("SELECT pg_walfile_name(pg_switch_wal())")  # ends no transaction
        while not (server.archive / str(name)).exists():
            assert time.monotonic() < until, server.log()[-2000:]
            time.sleep(0.02)
        server.stop()
        second = [each for each in server.archive.iterdir() if each.name[:8] == "00000002"]
        assert len(second) > 1
        with recovered(backup, wal=server.archive) as found:  # the old one has newer transactions
            assert [cause for _, cause in found.faults] == ["timeline"]
            assert "a server has gone on along that" in found.faults[0][0]
            assert "--timeline 1 recovers them" in found.faults[0][0]
        for each in second:
            if len(each.name) == 24:
                each.unlink()
        with recovered(backup, wal=server.archive) as found:
            assert [cause for _, cause in found.faults] == ["timeline"]
            assert "timeline 2 leaves timeline 1 at" in found.faults[0][0]
            assert events_in(found) == ["one", "left behind", "later"]


def test_a_lost_history_is_a_fault(shop: Shop, wal: Path) -> None:
    """The server does not know of the second timeline then, whose WAL is there."""
    (wal / "00000002.history").unlink()
    with recovered(shop.backup, wal=wal) as found:
        assert [cause for _, cause in found.faults] == ["timeline"]
        assert "00000002.history" in found.faults[0][0]
        assert events_in(found) == ["one"]


def test_a_target_on_a_branch_that_was_left_is_a_fault() -> None:
    """Without its history the server does not find the timeline that it should have followed."""
    with source(15, rows=20) as server:
        backup = server.base_backup("backup")
        server.commit("one")
        place = server.sql("SELECT pg_current_wal_insert_lsn()")
        server.commit("two")
        promote(server)
        server.switch()
        (unfinished,) = server.archive.glob("*.partial")
        unfinished.rename(unfinished.with_suffix(""))
        with recovered(backup, f"lsn:{place}", wal=server.archive) as found:
            assert not found.faults
        (server.archive / "00000002.history").unlink()
        with recovered(backup, f"lsn:{place}", wal=server.archive) as found:
            assert [cause for _, cause in found.faults] == ["timeline"]
        with recovered(backup, "immediate", wal=server.archive) as found:
            assert not found.faults


def test_a_damaged_history_is_a_fault(shop: Shop, wal: Path) -> None:
    """It leads nowhere."""
    (wal / "00000002.history").write_text("rubbish\n")
    with recovered(shop.backup, wal=wal) as found:
        assert found.faults
        assert "00000002.history" in found.faults[0][0]


def test_a_timeline_that_left_before_the_backup_is_refused(shop: Shop) -> None:
    """A backup of the second timeline has what the first one never had."""
    later = shop.server.base_backup("later")
    with (
        pytest.raises(UsageError, match="timeline 1 was left before this backup"),
        recovered(later, wal=shop.server.archive, timeline="1"),
    ):
        pass


@pytest.mark.parametrize("major", majors(18, 15))
def test_a_promotion_without_a_segment_yet_is_reached(major: int) -> None:
    """The last WAL before it is unfinished in the archive, and its end is known by the history."""
    with source(major, rows=20) as server:
        backup = server.base_backup("backup")
        server.commit("one")
        server.switch()
        server.commit("two")
        promote(server, "fast")
        for _ in range(500):
            if list(server.archive.glob("*.partial")):
                break
            time.sleep(0.02)
        with recovered(backup, wal=server.archive) as found:
            assert not found.faults and not found.told
            assert events_in(found) == ["one", "two"]


@pytest.mark.parametrize("major", majors(18, 15))
def test_a_backup_of_a_standby_is_recovered(major: int) -> None:
    """By itself, and with the archive of its primary."""
    with source(major, rows=20) as server:
        server.commit("one")
        folder = server.folder / "standby"
        folder.mkdir()
        server.launcher.own(folder)
        standby = replace(server, folder=folder)
        server.run("pg_basebackup", "-D", standby.data, "-h", server.folder, "-U", "postgres", "-R",
                   f"--tablespace-mapping={server.tablespace}={standby.tablespace}",
                   "--checkpoint=fast", "--no-sync")  # fmt: skip
        with (standby.data / "postgresql.conf").open("a", encoding="utf-8") as config:
            config.write(f"unix_socket_directories = '{folder}'\narchive_mode = off\n")
        standby.start()
        try:
            server.commit("two")
            until_replayed(server, standby)
            backup = standby.base_backup("backup")
        finally:
            standby.stop("immediate")
        server.commit("three")
        server.switch()
        with recovered(backup) as found:
            assert not found.faults
            assert events_in(found) == ["one", "two"]
        with recovered(backup, wal=server.archive) as found:
            assert not found.faults
            assert events_in(found) == ["one", "two", "three"]


def until_replayed(server: Source, standby: Source) -> None:
    """Wait until the standby has all of the primary."""
    here = server.sql("SELECT pg_current_wal_lsn()")
    for _ in range(500):
        if standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{here}'"):
            return
        time.sleep(0.02)
    raise AssertionError("the standby does not follow")

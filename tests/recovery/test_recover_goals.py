"""Every kind of target is reached exactly: both sides of the boundary, and the rows themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault, UsageError
from restore_drill.recovery.goals import goal_of
from tests.helpers.physical import Source, majors, source
from tests.helpers.recoveries import events_in, recovered
from tests.helpers.shop import require_major


@dataclass
class Line:
    """A server whose archive has transactions one to four, and what lies between them."""

    server: Source
    backup: Path
    xids: dict[str, int]
    times: dict[str, str]
    segments: list[str]
    lsn: str


@contextmanager
def lined(major: int) -> Iterator[Line]:
    """One, a restore point, two, a known LSN, three, the end of a segment, four, another end."""
    require_major(major)
    with source(major, rows=20) as server:
        server.commit("before")
        backup = server.base_backup("backup")
        xids, times, segments, lsn = {}, {}, [], ""
        for name in ("one", "two", "three", "four"):
            xids[name], times[name] = server.commit(name)
            if name == "one":
                server.restore_point("between")
            if name == "two":
                lsn = str(server.sql("SELECT pg_current_wal_insert_lsn()"))
            if name in ("three", "four"):
                segments.append(server.switch())
        yield Line(server, backup, xids, times, segments, lsn)


@pytest.fixture(scope="module", params=majors(18, 15))
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """The line of a server of this major version."""
    with lined(request.param) as found:
        yield found


@pytest.mark.parametrize("major", majors(14, 16, 17))
def test_other_versions_say_it_in_the_same_words(major: int) -> None:
    """Both sides of a time, by the log of each."""
    with lined(major) as line:
        test_a_time_is_reached_between_two_transactions(line)


ALL = ["before", "one", "two", "three", "four"]


def test_a_time_is_reached_between_two_transactions(line: Line) -> None:
    """The last one in ended before it, the first one out after it."""
    with recovered(line.backup, line.times["one"], wal=line.server.archive) as found:
        assert not found.faults
        assert events_in(found) == ALL[:2]
        when = datetime.fromisoformat(line.times["one"])
        last, first = found.evidence.last_in, found.evidence.first_out
        assert last is not None and last.at is not None and last.at <= when
        assert first is not None and first.at is not None and first.at > when
        assert first.xid == line.xids["two"]


def test_a_transaction_is_the_last_one_in(line: Line) -> None:
    """The one that is named is in."""
    with recovered(line.backup, f"xid:{line.xids['two']}", wal=line.server.archive) as found:
        assert not found.faults
        assert events_in(found) == ALL[:3]
        assert found.evidence.last_in is not None
        assert found.evidence.last_in.xid == line.xids["two"]


def test_a_restore_point_is_reached(line: Line) -> None:
    """Nothing behind it is in."""
    with recovered(line.backup, "name:between", wal=line.server.archive) as found:
        assert not found.faults
        assert events_in(found) == ALL[:2]
        assert 'restore point "between"' in found.evidence.stopped


def test_an_lsn_is_reached(line: Line) -> None:
    """What ends there is in."""
    with recovered(line.backup, f"lsn:{line.lsn}", wal=line.server.archive) as found:
        assert not found.faults
        assert events_in(found) == ALL[:3]


def test_immediate_ends_at_the_end_of_the_backup(line: Line) -> None:
    """With an archive and without one."""
    for wal in (line.server.archive, None):
        with recovered(line.backup, "immediate", wal=wal) as found:
            assert not found.faults
            assert events_in(found) == ALL[:1]


def test_latest_has_everything(line: Line) -> None:
    """And is on a timeline that says where it left."""
    with recovered(line.backup, wal=line.server.archive) as found:
        assert not found.faults
        assert events_in(found) == ALL
        last = found.evidence.last_in
        assert last is not None and last.at is not None
        assert last.at >= datetime.fromisoformat(line.times["three"])
        assert found.evidence.timeline == 1
        assert not found.evidence.complaints


@pytest.mark.parametrize(
    ("goal", "why"),
    [
        ("name:nowhere", "no restore point of that name is in the WAL"),
        ("xid:99999", "no end of that transaction is in the WAL"),
        ("lsn:F/0", "the last record of the WAL is at 0/"),
        ("now", "the last transaction in the WAL ended 20"),
    ],
)
def test_a_target_that_is_not_in_the_wal_fails(line: Line, goal: str, why: str) -> None:
    """It names the target, and says how far the WAL goes; a restore point, which there are."""
    asked = datetime.now(UTC).isoformat(sep=" ") if goal == "now" else goal
    error = failure_of(line, asked, line.server.archive)
    said = "\n".join(error.checked)

    assert error.what.startswith(f"recovery did not reach {goal_of(asked).text}: {why}")
    assert "was replayed up to" in said and "the last transaction in it ended at" in said
    assert ("the newest first: between" in said) == (goal == "name:nowhere")
    assert ("stops at a time only if" in " ".join(error.remedy)) == (goal == "now")
    assert "--wal" not in " ".join(error.remedy)


def failure_of(line: Line, goal: str, wal: Path | None) -> BackupFault:
    """What is said of a recovery to `goal`, which does not get there."""
    with pytest.raises(BackupFault) as failure, recovered(line.backup, goal, wal=wal):
        pass
    return failure.value


def test_a_gap_before_the_target_is_what_is_said(line: Line, tmp_path: Path) -> None:
    """With the remedy of a gap; one more segment is missing behind it."""
    wal = Path(shutil.copytree(line.server.archive, tmp_path / "wal"))
    (wal / line.segments[0]).unlink()
    for goal in (line.times["three"], "name:nowhere", f"xid:{line.xids['three']}"):
        error = failure_of(line, goal, wal)

        assert f"has a gap: {line.segments[0]} is missing; recovery ended there" in error.what
        assert goal_of(goal).text in error.what
        assert "look for the missing files" in error.remedy[0]


def test_without_an_archive_it_is_asked_for(line: Line) -> None:
    """What lies behind the backup is nowhere else."""
    error = failure_of(line, "name:between", None)

    assert error.what.startswith("recovery did not reach name:between: no restore point")
    assert "--wal" in error.remedy[0]


def test_a_target_before_the_backup_is_refused(line: Line) -> None:
    """By time and by LSN, before anything is copied."""
    for goal in ("2020-01-01", "lsn:0/1000"):
        with (
            pytest.raises(UsageError, match="lies before the end of the backup"),
            recovered(line.backup, goal, wal=line.server.archive),
        ):
            pass


def test_a_timeline_that_is_not_there_fails(line: Line) -> None:
    """The server has no history of it."""
    with (
        pytest.raises(BackupFault, match="the timeline that was asked for cannot be reached"),
        recovered(line.backup, wal=line.server.archive, timeline="7"),
    ):
        pass

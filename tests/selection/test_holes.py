"""Holes: a backup that is missing is found, and what a retention has removed is none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.selection.holes import schedule_of
from tests.helpers.folders import DUMP, backup_in

NEWEST = datetime(2026, 11, 27, 5, tzinfo=UTC)
DAY = 86400.0


def days_ago(*days: float) -> list[datetime]:
    """Times so many days before the newest backup."""
    return [NEWEST - timedelta(days=day) for day in days]


GFS = [*range(7), 8, 15, 22, 29, 30, 36, 60, 91, 121, 152]
"""Seven daily, then weekly, then monthly backups; the first of a month lies beside a Sunday."""


@pytest.mark.parametrize(
    "taken",
    [range(14), GFS, [0], [], [0, 0.01, 1, 2.2, 3, 3.4, 4.5], [*range(7), *range(13, 400, 7)]],
)
def test_no_hole(taken: Iterable[float]) -> None:
    """Neither jobs that come late or twice nor a retention make one."""
    assert schedule_of(days_ago(*taken), DAY, NEWEST).holes == ()


@pytest.mark.parametrize(
    ("taken", "holes"),
    [
        ([0, 1, 2, 8, 9, 10, 11], [("2026-11-19", "2026-11-25", "5 are missing")]),
        ([0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13],
         [("2026-11-24", "2026-11-26", "1 is missing"), ("2026-11-17", "2026-11-19", "1 is")]),
        ([0, 2, 4, 6, 8], [("2026-11-25", "2026-11-27", "1 is missing")]),
        ([0, 1, 5, 6, 7, 8, 15, 22, 29], [("2026-11-22", "2026-11-26", "3 are missing")]),
    ],
)  # fmt: skip
def test_holes(taken: list[float], holes: list[tuple[str, ...]]) -> None:
    """With both ends and how many are missing; the job that comes every other day shows too."""
    found = schedule_of(days_ago(*taken), DAY, NEWEST).holes

    assert len(found) == len(holes), found
    for line, words in zip(found, holes, strict=True):
        assert all(word in line for word in words), line


@pytest.mark.parametrize(("days", "holes"), [(1.4, ()), (6, ("5 are missing",))])
def test_the_time_since_the_newest_counts(days: float, holes: tuple[str, ...]) -> None:
    """A job that has stopped leaves a hole, however old a backup may be."""
    found = schedule_of(days_ago(*range(14)), DAY, NEWEST + timedelta(days=days)).holes

    assert len(found) == len(holes)
    assert all(line.startswith("no backup since 2026-11-27 05:00:00 UTC (6 d)") for line in found)
    assert all(word in line for word, line in zip(holes, found, strict=True))


def test_how_far_back_is_said() -> None:
    """What lies too far apart for a judgement is counted, and not called whole."""
    judged = schedule_of(days_ago(*GFS), DAY, NEWEST).judged

    assert judged.startswith("judged back to 2026-11-23 05:00:00 UTC (5 backups); not the 12 older")


def test_a_missing_backup_fails_the_drill(tmp_path: Path, report_dir: Path) -> None:
    """Where the criteria file says how often they are taken; else nobody asks."""
    now = datetime.now(UTC)
    for days in (0, 1, 2, 5, 6, 7, 8):
        (tmp_path / f"shop_{now - timedelta(days=days):%Y-%m-%dT%H%M%SZ}.sql").write_bytes(DUMP)
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[backup]\nevery = "1d"\n')

    drill = backup_in(tmp_path, report_dir, f"--criteria={criteria}")
    failed = drill.failed
    unasked = backup_in(tmp_path, report_dir)

    assert set(failed) == {"test_no_backup_is_missing"}, drill.output
    assert "1 of 7 criteria failed: other backups of its series are missing" in drill.output
    message = failed["test_no_backup_is_missing"]
    assert "2 are missing" in message and "judged back to" in message
    assert "test_no_backup_is_missing" not in unasked.output and unasked.code == 0

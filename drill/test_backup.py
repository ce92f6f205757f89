"""The backup itself: there, whole, young enough, and no smaller than it used to be."""

from __future__ import annotations

import statistics

import pytest

from restore_drill.backups.choice import Schedule
from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import NO_DIGEST, expected_sha256
from restore_drill.config.settings import Settings
from restore_drill.core.errors import message
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_duration
from restore_drill.selection.chosen import AHEAD, age_of_newest, taken_words, why_no_sizes

pytestmark = pytest.mark.select


def test_backup_exists(backup: Backup) -> None:
    """A finished backup exists where backups are kept."""
    assert backup.is_there, message(
        f"{as_written(backup.path)} has disappeared since it was selected",
        remedy=remedy_for("test_backup_exists", "gone"),
    )


def test_backup_is_not_empty(backup: Backup) -> None:
    """The backup has content."""
    assert backup.size > 0, message(
        f"{as_written(backup.path)} is empty (zero bytes)",
        remedy=remedy_for("test_backup_is_not_empty", "empty"),
    )


def test_backup_is_complete(contents: Contents, backup: Backup) -> None:
    """The backup can be read to its end, and nothing is cut off."""
    about = f"{as_written(backup.path)} ({backup.format_text}, {show_bytes(backup.size)})"
    cause = "foreign" if backup.unrecognised else contents.condition
    what = "not a PostgreSQL backup that can be drilled" if backup.unrecognised else cause
    assert contents.is_complete, message(
        f"{backup.name} is {what}: {contents.first_fault}",
        checked=[about, *contents.faults[1:]],
        remedy=[*backup.remedy, *remedy_for("test_backup_is_complete", cause)],
    )


@pytest.mark.of_a_dump
def test_backup_matches_its_checksum(contents: Contents, backup: Backup) -> None:
    """The backup matches its .sha256 file byte for byte."""
    expected = expected_sha256(backup.path)
    if expected is None:
        pytest.skip(f"there is no {backup.name}.sha256 beside it")
    cause = "no_digest" if expected == NO_DIGEST else "changed"
    why = "that holds none" if expected == NO_DIGEST else "it has changed since it was written"
    assert contents.sha256 == expected, message(
        f"{backup.name} does not match its .sha256 file: {why}",
        checked=[f"SHA-256 now {contents.sha256}", f"expected {expected}"],
        remedy=remedy_for("test_backup_matches_its_checksum", cause, name=backup.name),
    )


@pytest.mark.budget("age")
@pytest.mark.of_a_dump
def test_backup_is_young_enough(backup: Backup, settings: Settings) -> None:
    """The newest backup's age is within the RPO budget."""
    age, limit, taken = age_of_newest(backup), settings.max_backup_age, taken_words(backup)
    assert age > -AHEAD, message(
        f"{taken}, which is {show_duration(-age)} in the future",
        remedy=remedy_for("test_backup_is_young_enough", "future"),
    )
    assert age <= limit, message(
        f"{taken}: {show_duration(age)} old; the limit is {show_duration(limit)}",
        remedy=remedy_for("test_backup_is_young_enough", "old"),
    )


@pytest.mark.budget("schedule")
def test_no_backup_is_missing(schedule: Schedule) -> None:
    """Backups of the series are taken as often as `every` under [backup] says."""
    assert not schedule.holes, message(
        schedule.holes[0],
        checked=[*schedule.holes[1:], schedule.judged],
        remedy=remedy_for("test_no_backup_is_missing", "missing"),
    )


@pytest.mark.beside_the_copy
def test_backup_did_not_shrink(backup: Backup, settings: Settings) -> None:
    """The backup is as large as earlier ones suggest."""
    if not backup.earlier_sizes:
        pytest.skip(why_no_sizes(settings))
    if not backup.size:
        pytest.skip("it is empty: see test_backup_is_not_empty")
    usual = statistics.median(backup.earlier_sizes)
    assert backup.size >= usual * settings.criteria.min_size_ratio, message(
        f"{backup.name} is only {show_bytes(backup.size)}, "
        f"the backups before it {show_bytes(usual)} (median of {len(backup.earlier_sizes)})",
        remedy=remedy_for("test_backup_did_not_shrink", "smaller"),
    )

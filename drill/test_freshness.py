"""The freshness: the rows are as young as the backup, whatever its file's time says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from restore_drill.backups.model import Backup
from restore_drill.checks.freshness import Newest, distance, slack_of
from restore_drill.config.criteria import Freshness
from restore_drill.config.settings import Settings
from restore_drill.core.errors import message
from restore_drill.core.units import show_duration

pytestmark = [pytest.mark.verify, pytest.mark.reads_rows]


def test_rows_are_fresh(
    fresh: Freshness, newest_of: Callable[[Freshness], Newest], backup: Backup, settings: Settings
) -> None:
    """The newest value of a column that says when rows were written is young enough."""
    newest = newest_of(fresh)
    assert not newest.error, newest.error
    told = f"newest {fresh.name} is {distance(newest, backup)}"
    lead = newest.lead_over(backup.taken_at)
    assert lead <= slack_of(backup, settings.criteria.timezone), message(
        f"{told}: one of the two times is wrong",
        checked=[f"the rows, and the backup's time by {backup.time_source}"],
        remedy=[
            "times without a zone are read in [backup] timezone of the criteria file: is it right?",
            "name a column in [freshness] that says when a row was written, not one of plans",
        ],
    )
    assert newest.age_at(backup.taken_at) <= fresh.max_age, message(
        f"{told}, allowed are {show_duration(fresh.max_age)}",
        remedy=[
            "was an old copy, a stopped replica or another database dumped?",
            "does the source still take writes? if so few are usual, raise the age in [freshness]",
        ],
    )

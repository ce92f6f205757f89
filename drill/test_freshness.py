"""Freshness: the rows are as recent as the backup, whatever the time of its file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from restore_drill.backups.model import Backup
from restore_drill.checks.freshness import Newest, distance, why_not_fresh
from restore_drill.config.criteria import Freshness
from restore_drill.config.settings import Settings
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for

pytestmark = [pytest.mark.verify, pytest.mark.reads_rows]


def test_rows_are_fresh(
    fresh: Freshness, newest_of: Callable[[Freshness], Newest], backup: Backup, settings: Settings
) -> None:
    """The newest value of a column that records when rows were written is recent enough."""
    newest = newest_of(fresh)
    assert not newest.error, newest.error
    cause, what = why_not_fresh(newest, fresh, backup, settings.criteria.timezone)
    assert not cause, message(
        f"newest {fresh.name} is {distance(newest, backup)}{what}",
        checked=[f"the rows, and the backup's time (from {backup.time_source})"],
        remedy=remedy_for("test_rows_are_fresh", cause),
    )

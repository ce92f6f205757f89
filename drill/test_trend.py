"""Trends: nothing about this drill is unusual among the passed ones before it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.watch.trends import Trends

pytestmark = [pytest.mark.system, pytest.mark.advisory, pytest.mark.measures_trend]


@pytest.mark.budget("time")
def test_restore_takes_its_usual_time(unusual: Callable[[str], str]) -> None:
    """The restore took about as long as in the last passed drills on the same machine."""
    found = unusual("restore")
    remedy = remedy_for("test_restore_takes_its_usual_time", "slower")
    assert not found, message(found, remedy=remedy)


def test_rows_have_not_fallen(unusual: Callable[[str], str], trends: Trends) -> None:
    """There are about as many rows as in the last passed drills."""
    found = unusual("rows")
    remedy = remedy_for("test_rows_have_not_fallen", "fewer")
    assert not found, message(found, trends.fallen_tables(), remedy)


def test_size_has_not_fallen(unusual: Callable[[str], str]) -> None:
    """The backup is about as large as those of the last passed drills."""
    found = unusual("size")
    remedy = remedy_for("test_size_has_not_fallen", "smaller")
    assert not found, message(found, remedy=remedy)


@pytest.mark.budget("time")
def test_growth_breaks_no_budget_soon(unusual: Callable[[str], str]) -> None:
    """No time budget will be exceeded in the coming weeks, at the current growth."""
    found = unusual("growth")
    remedy = remedy_for("test_growth_breaks_no_budget_soon", "soon")
    assert not found, message(found, remedy=remedy)

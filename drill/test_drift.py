"""Drift: the source has lost nothing since the last passed drill, or against the reference."""

from __future__ import annotations

import pytest

from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.drift.drift import Drift
from restore_drill.drift.findings import CHANGED, DATABASE, LOST

pytestmark = [pytest.mark.verify, pytest.mark.measures_drift]


def test_database_is_the_same(drift: Drift) -> None:
    """The backup is of the same database as in earlier drills."""
    found = drift.of(DATABASE)
    assert not found, message(
        found[0].line,
        checked=[drift.against],
        remedy=remedy_for("test_database_is_the_same", "another", accept=drift.accept(found)),
    )


def test_nothing_was_lost(drift: Drift) -> None:
    """No object has been lost, unless a migration dropped it."""
    found = drift.of(LOST)
    assert not found, message(
        f"{show_count(len(found), 'object')} lost since {found[0].against}: {found[0].line}",
        checked=drift.rest(found),
        remedy=remedy_for("test_nothing_was_lost", "lost", accept=drift.accept(found)),
    )


def test_nothing_was_changed(drift: Drift) -> None:
    """Every object is defined as it was, unless a migration changed it."""
    found = drift.of(CHANGED)
    assert not found, message(
        f"{show_count(len(found), 'object')} changed since {found[0].against}: {found[0].line}",
        checked=drift.rest(found),
        remedy=remedy_for("test_nothing_was_changed", "changed", accept=drift.accept(found)),
    )


@pytest.mark.reads_rows
def test_table_rows_are_plausible(measured_table: str, drift: Drift) -> None:
    """A table has about as many rows as in the last passed drill."""
    found = drift.rows_of(measured_table)
    accept = drift.accept(found)
    assert not found, message(
        f"{measured_table} {found[0].description}",
        checked=[found[0].against],
        remedy=remedy_for(
            "test_table_rows_are_plausible", "unusual", table=measured_table, accept=accept
        ),
    )

"""The system: it can be written to, and the drill kept its time budgets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from restore_drill.checks.names import CriteriaNames
from restore_drill.config.budgets import Budgets
from restore_drill.config.criteria import TableCriteria
from restore_drill.core.errors import message
from restore_drill.core.record import Record
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.model import Facts
from restore_drill.facts.write_check import NO_ROW

pytestmark = pytest.mark.system


@pytest.mark.reads_rows
def test_table_can_be_written(
    required: TableCriteria,
    writes: Callable[[str], str],
    facts: Facts,
    criteria_names: CriteriaNames,
) -> None:
    """Insert, update and delete work on a required table (and are rolled back)."""
    is_there = required.name in facts.relations
    assert is_there, criteria_names.lost_table(required.name, facts.relations)
    problem = writes(required.name)
    if problem == NO_ROW:
        pytest.skip(f"{required.name}: {NO_ROW}")
    assert not problem, message(
        f"{required.name} cannot be written: {problem}",
        remedy=remedy_for("test_table_can_be_written", "refused"),
    )


@pytest.mark.budget("time")
@pytest.mark.usefixtures("restoration")
def test_restore_time_is_within_budget(record: Record, budgets: Budgets) -> None:
    """The restore took no longer than its budget."""
    if why := budgets.why_none("restore"):
        pytest.skip(why)
    excess = budgets.excess("restore", record.seconds("restore"))
    assert not excess, message(
        excess, remedy=remedy_for("test_restore_time_is_within_budget", "over")
    )


@pytest.mark.budget("time")
@pytest.mark.usefixtures("facts")
def test_verify_time_is_within_budget(record: Record, budgets: Budgets) -> None:
    """The verification took no longer than its budget."""
    if why := budgets.why_none("verify"):
        pytest.skip(why)
    excess = budgets.excess("verify", record.seconds("verify"))
    assert not excess, message(
        excess,
        checked=record.slowest,
        remedy=remedy_for("test_verify_time_is_within_budget", "over"),
    )


@pytest.mark.budget("time")
@pytest.mark.usefixtures("restoration")
def test_total_time_is_within_budget(record: Record, budgets: Budgets) -> None:
    """The whole drill took no longer than its budget."""
    if why := budgets.why_none("total"):
        pytest.skip(why)
    excess = budgets.excess("total", record.elapsed)
    assert not excess, message(
        excess, remedy=remedy_for("test_total_time_is_within_budget", "over")
    )

"""Rows: every table has those that are in the backup, and required tables have enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from restore_drill.backups.model import Contents
from restore_drill.checks.names import CriteriaNames
from restore_drill.checks.tables import remedy_of_rows, row_difference, why_not_counted
from restore_drill.config.criteria import Fact, TableCriteria
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.facts.model import Facts

pytestmark = [pytest.mark.verify, pytest.mark.reads_rows]


def test_database_has_rows(facts: Facts, contents: Contents) -> None:
    """The backup holds rows, and the restored database is not empty."""
    assert not contents.is_schema_only, message(
        "the backup holds the definitions of its tables, but no rows (--schema-only)",
        checked=["its table of contents, which has no TABLE DATA entry"],
        remedy=remedy_for("test_database_has_rows", "schema_only"),
    )
    assert sum(facts.rows.values()) > 0, message(
        f"the restored database has {show_count(len(facts.rows), 'table')} and not a single row",
        remedy=remedy_for("test_database_has_rows", "no_rows"),
    )


def test_table_has_rows(
    required: TableCriteria, facts: Facts, criteria_names: CriteriaNames
) -> None:
    """A required table has as many rows as the criteria file asks for."""
    rows = facts.rows.get(required.name)
    assert rows is not None, criteria_names.lost_table(required.name, facts.relations)
    assert required.holds(rows), message(
        f"{required.name} has {show_count(rows, 'row')}, expected {required.expectation}",
        remedy=remedy_for("test_table_has_rows", "unexpected"),
    )


@pytest.mark.of_a_dump
def test_table_has_every_row(table: str, facts: Facts, contents: Contents) -> None:
    """A table has exactly the rows that are in the backup."""
    if why := why_not_counted(table, facts, contents):
        pytest.skip(why)
    difference = row_difference(table, facts, contents)
    assert not difference, message(
        f"{table} {difference}",
        remedy=remedy_of_rows(table, facts, contents),
    )


def test_fact_holds(fact: Fact, measure: Callable[[Fact], tuple[float | None, str]]) -> None:
    """A business fact of the criteria file holds."""
    value, error = measure(fact)
    assert value is not None, message(
        f"{fact.name} could not be measured: {error}",
        remedy=remedy_for("test_fact_holds", "unmeasured"),
    )
    assert fact.holds(value), message(
        f"{fact.name} is {value:,}, expected {fact.expectation}",
        checked=[f"[facts.{fact.name}] in the criteria file"],
        remedy=remedy_for("test_fact_holds", "unexpected"),
    )

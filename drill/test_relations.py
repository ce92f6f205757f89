"""The relations: keys, constraints, indexes and sequences hold, by the catalog and by the rows."""

from __future__ import annotations

import pytest

from restore_drill.checks.names import CriteriaNames
from restore_drill.config.criteria import TableCriteria
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.facts.checks.constraints import UNVALIDATED
from restore_drill.facts.checks.states import INVALID_INDEXES
from restore_drill.facts.model import Facts
from restore_drill.facts.records import why_broken

pytestmark = [pytest.mark.verify, pytest.mark.reads_rows]


def test_foreign_keys_hold(table: str, facts: Facts) -> None:
    """Every row that a foreign key of a table references exists."""
    lost = facts.lost_keys_of(table)
    broken = lost + [key for key in facts.foreign_keys_of(table) if key.is_broken]
    cause, what = why_broken(broken)
    assert not broken, message(
        what.format(table),
        checked=[line for key in broken for line in key.lines],
        remedy=remedy_for("test_foreign_keys_hold", cause),
    )
    if why := facts.why_unread("foreign keys"):
        pytest.skip(why)


def test_constraints_hold(table: str, facts: Facts) -> None:
    """Every row of a table meets its constraints: not null, check, domain, unique, exclusion."""
    broken = facts.broken_constraints_of(table)
    lost = any(each.is_lost for each in broken)
    assert not broken, message(
        f"{table} has rows that violate its constraints, or constraints that cannot be checked",
        checked=[line for constraint in broken for line in constraint.lines],
        remedy=remedy_for("test_constraints_hold", "lost" if lost else "broken"),
    )
    if why := facts.why_unread("constraints", "keys"):
        pytest.skip(why)


@pytest.mark.of_a_dump
def test_unlisted_tables_hold(unlisted_tables: list[str], facts: Facts) -> None:
    """Tables that the backup does not list, such as an extension's, meet their constraints too."""
    broken = [each for name in unlisted_tables for each in facts.broken_in(name)]
    assert not broken, message(
        f"{show_count(len(broken), 'constraint')} broken in tables that the backup does not list",
        checked=[line for each in broken for line in each.lines_with_table],
        remedy=remedy_for("test_unlisted_tables_hold", "broken"),
    )
    if why := facts.why_unread("foreign keys", "constraints", "keys"):
        pytest.skip(why)


def test_required_references_exist(
    required: TableCriteria, facts: Facts, criteria_names: CriteriaNames
) -> None:
    """A required table has the foreign keys that the criteria file names."""
    for name in (required.name, *required.references):
        assert name in facts.relations, criteria_names.lost_table(name, facts.relations)
    if why := facts.why_unread("foreign keys"):
        pytest.skip(why)
    referenced = {key.referenced for key in facts.foreign_keys_of(required.name)}
    lost = [name for name in required.references if name not in referenced]
    assert not lost, message(
        f"{required.name} has no foreign key to {', '.join(lost)}",
        remedy=remedy_for("test_required_references_exist", "missing"),
    )


@pytest.mark.of_a_dump
def test_constraints_are_validated(facts: Facts) -> None:
    """No constraint is NOT VALID unless the backup adds it so."""
    assert not facts.of(UNVALIDATED), message(
        f"{show_count(len(facts.of(UNVALIDATED)), 'constraint')} not validated: "
        + ", ".join(facts.of(UNVALIDATED)),
        checked=["the backup adds them without NOT VALID, or does not mention them"],
        remedy=remedy_for("test_constraints_are_validated", "not_validated"),
    )
    if why := facts.why_unread(UNVALIDATED):
        pytest.skip(why)


@pytest.mark.of_a_dump
def test_indexes_are_valid(facts: Facts) -> None:
    """Every index is valid and ready."""
    assert not facts.of(INVALID_INDEXES), message(
        f"{show_count(len(facts.of(INVALID_INDEXES)), 'index', 'indexes')} not valid: "
        + ", ".join(facts.of(INVALID_INDEXES)),
        remedy=remedy_for("test_indexes_are_valid", "invalid"),
    )
    if why := facts.why_unread(INVALID_INDEXES):
        pytest.skip(why)


def test_sequences_are_ahead(facts: Facts) -> None:
    """Every sequence is ahead of the values in its column."""
    behind = [each for each in facts.sequences if not each.is_ahead]
    assert not behind, message(
        f"{show_count(len(behind), 'sequence')} behind: the next insert would collide",
        checked=[line for each in behind for line in each.lines],
        remedy=remedy_for("test_sequences_are_ahead", "behind"),
    )
    if why := facts.why_unread("sequences"):
        pytest.skip(why)

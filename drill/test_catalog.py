"""The catalog's truth: triggers, partitions, views, functions, large objects and the storage."""

from __future__ import annotations

import pytest

from restore_drill.backups.model import Contents
from restore_drill.checks.tables import lost_large_objects
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.facts.model import Facts

pytestmark = pytest.mark.verify

SHOWN = 10


def test_triggers_are_enabled(facts: Facts) -> None:
    """No trigger or rule is disabled that the backup itself does not disable."""
    off = facts.switched_off
    assert not off, message(
        f"{show_count(len(off), 'trigger or rule', 'triggers or rules')} off: {off[0]}",
        checked=off[:SHOWN],
        remedy=remedy_for("test_triggers_are_enabled", "disabled"),
    )
    if why := facts.why_unread("state of triggers"):
        pytest.skip(why)


def test_partitions_are_attached(facts: Facts) -> None:
    """Every partition, and every index of one, is attached as in the backup."""
    loose = facts.unattached
    assert not loose, message(
        f"{show_count(len(loose), 'partition')} not attached: {', '.join(loose[:SHOWN])}",
        checked=["ATTACH entries of the backup, and pg_inherits of the restored database"],
        remedy=remedy_for("test_partitions_are_attached", "detached"),
    )
    if why := facts.why_unread("state of partitions"):
        pytest.skip(why)


def test_materialised_views_are_populated(facts: Facts) -> None:
    """Every materialised view that was populated in the source is so again."""
    empty = facts.unpopulated
    assert not empty, message(
        f"{show_count(len(empty), 'materialised view')} not populated: {', '.join(empty[:SHOWN])}",
        remedy=remedy_for("test_materialised_views_are_populated", "empty"),
    )
    if why := facts.why_unread("materialised views"):
        pytest.skip(why)


def test_large_objects_came_back(facts: Facts, contents: Contents) -> None:
    """All large objects of the backup are there, and those that rows of type lo name."""
    if why := facts.why_unread("large objects"):
        pytest.skip(why)
    cause, what = lost_large_objects(facts, contents)
    assert not cause, message(
        what,
        checked=facts.lost_large_objects,
        remedy=remedy_for("test_large_objects_came_back", cause),
    )
    if why := facts.why_unread("columns of large objects"):
        pytest.skip(why)


def test_views_resolve(facts: Facts) -> None:
    """Every view and materialised view finds the tables, columns and functions that it names."""
    broken = facts.unresolved_views
    assert not broken, message(
        f"{show_count(len(broken), 'view')} cannot be queried: {', '.join(list(broken)[:SHOWN])}",
        checked=[f"{name}: {error}" for name, error in broken.items()],
        remedy=remedy_for("test_views_resolve", "broken"),
    )
    if why := facts.why_unread("views"):
        pytest.skip(why)


def test_functions_resolve(facts: Facts) -> None:
    """Every sql and plpgsql function passes the server's own check of its body."""
    broken = facts.unresolved_functions
    assert not broken, message(
        f"{show_count(len(broken), 'function')} would fail when called: "
        + ", ".join(list(broken)[:SHOWN]),
        checked=[f"{name}: {error}" for name, error in broken.items()],
        remedy=remedy_for("test_functions_resolve", "broken"),
    )
    if why := facts.why_unread("functions"):
        pytest.skip(why)


def test_tables_have_statistics(facts: Facts) -> None:
    """Every table with rows has statistics, so that the first queries are planned well."""
    lacking = facts.without_statistics
    assert not lacking, message(
        f"{show_count(len(lacking), 'table')} without statistics: {', '.join(lacking[:SHOWN])}",
        remedy=remedy_for("test_tables_have_statistics", "missing"),
    )
    if why := facts.why_unread("statistics"):
        pytest.skip(why)


@pytest.mark.reads_rows
def test_storage_is_sound(facts: Facts) -> None:
    """Every table and btree index is sound, each row with its entry in all but large ones."""
    if facts.unexamined:
        pytest.skip(facts.unexamined)
    damage = facts.damage
    assert not damage, message(
        f"{show_count(len(damage), 'table or index', 'tables or indexes')} damaged: {damage[0]}",
        checked=damage[:SHOWN],
        remedy=remedy_for("test_storage_is_sound", "damaged"),
    )
    if why := facts.why_unread("storage"):
        pytest.skip(why)

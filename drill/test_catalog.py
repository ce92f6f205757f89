"""The catalog: triggers, partitions, views, functions, large objects and the storage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from restore_drill.backups.model import Contents
from restore_drill.checks.tables import lost_large_objects
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, some
from restore_drill.facts.checks.functions import UNRESOLVED_FUNCTIONS, same_in_source
from restore_drill.facts.checks.large_objects import LARGE_OBJECTS, LOST_LARGE_OBJECTS
from restore_drill.facts.checks.states import SWITCHED_OFF, UNATTACHED, WITHOUT_STATISTICS
from restore_drill.facts.checks.storage import STORAGE
from restore_drill.facts.checks.views import UNPOPULATED, UNRESOLVED_VIEWS
from restore_drill.facts.model import Facts
from restore_drill.manifest.compare import Comparison, is_whole

pytestmark = pytest.mark.verify

SHOWN = 10
"""Names in the first line of a finding; the others follow below it."""
ATTACHMENTS = "ATTACH entries of the backup, and pg_inherits of the restored database"


@pytest.mark.of_a_dump
def test_triggers_are_enabled(facts: Facts) -> None:
    """No trigger or rule is disabled unless the backup itself disables it."""
    off = facts.of(SWITCHED_OFF)
    assert not off, message(
        f"{show_count(len(off), 'trigger or rule', 'triggers or rules')} disabled: {off[0]}",
        checked=off[1:],
        remedy=remedy_for("test_triggers_are_enabled", "disabled"),
    )
    if why := facts.why_unread(SWITCHED_OFF):
        pytest.skip(why)


@pytest.mark.of_a_dump
def test_partitions_are_attached(facts: Facts) -> None:
    """Every partition, and every index of a partition, is attached as in the backup."""
    loose = facts.of(UNATTACHED)
    assert not loose, message(
        f"{show_count(len(loose), 'partition')} not attached: {some(loose, SHOWN)}",
        checked=[ATTACHMENTS, *loose[SHOWN:]],
        remedy=remedy_for("test_partitions_are_attached", "detached"),
    )
    if why := facts.why_unread(UNATTACHED):
        pytest.skip(why)


@pytest.mark.of_a_dump
def test_materialised_views_are_populated(facts: Facts) -> None:
    """Every materialised view that was populated in the source is populated again."""
    empty = facts.of(UNPOPULATED)
    assert not empty, message(
        f"{show_count(len(empty), 'materialised view')} not populated: {some(empty, SHOWN)}",
        checked=empty[SHOWN:],
        remedy=remedy_for("test_materialised_views_are_populated", "empty"),
    )
    if why := facts.why_unread(UNPOPULATED):
        pytest.skip(why)


def test_large_objects_came_back(facts: Facts, contents: Contents) -> None:
    """All large objects of the backup exist, as do those that lo columns refer to."""
    if why := facts.why_unread(LARGE_OBJECTS):
        pytest.skip(why)
    cause, what = lost_large_objects(facts, contents)
    assert not cause, message(
        what,
        checked=facts.of(LOST_LARGE_OBJECTS),
        remedy=remedy_for("test_large_objects_came_back", cause),
    )
    if why := facts.why_unread(LOST_LARGE_OBJECTS):
        pytest.skip(why)


def test_views_resolve(facts: Facts) -> None:
    """Every table, column and function that a view or materialised view names exists."""
    broken = facts.of(UNRESOLVED_VIEWS)
    assert not broken, message(
        f"{show_count(len(broken), 'view')} cannot be queried: {some(broken, SHOWN)}",
        checked=[f"{name}: {error}" for name, error in broken.items()],
        remedy=remedy_for("test_views_resolve", "broken"),
    )
    if why := facts.why_unread(UNRESOLVED_VIEWS):
        pytest.skip(why)


def test_functions_resolve(facts: Facts, compared: Callable[[], Comparison | None]) -> None:
    """Every sql and plpgsql function passes the server's own check, or fails in the source too."""
    broken = facts.of(UNRESOLVED_FUNCTIONS)
    if broken and is_whole(compared()):
        pytest.skip(same_in_source(broken))
    assert not broken, message(
        f"{show_count(len(broken), 'function')} would fail when called: " + some(broken, SHOWN),
        checked=[f"{name}: {error}" for name, error in broken.items()],
        remedy=remedy_for("test_functions_resolve", "broken"),
    )
    if why := facts.why_unread(UNRESOLVED_FUNCTIONS):
        pytest.skip(why)


@pytest.mark.of_a_dump
def test_tables_have_statistics(facts: Facts) -> None:
    """Every table with rows has statistics, so that the first queries are planned well."""
    lacking = facts.of(WITHOUT_STATISTICS)
    assert not lacking, message(
        f"{show_count(len(lacking), 'table')} without statistics: {some(lacking, SHOWN)}",
        checked=lacking[SHOWN:],
        remedy=remedy_for("test_tables_have_statistics", "missing"),
    )
    if why := facts.why_unread(WITHOUT_STATISTICS):
        pytest.skip(why)


@pytest.mark.reads_rows
@pytest.mark.of_a_dump
def test_storage_is_sound(facts: Facts) -> None:
    """Every table and btree index is sound; all but large indexes have an entry for each row."""
    if facts.of(STORAGE).unexamined:
        pytest.skip(facts.of(STORAGE).unexamined)
    damage = facts.of(STORAGE).damage
    assert not damage, message(
        f"{show_count(len(damage), 'table or index', 'tables or indexes')} damaged: {damage[0]}",
        checked=damage[1:],
        remedy=remedy_for("test_storage_is_sound", "damaged"),
    )
    if why := facts.why_unread(STORAGE):
        pytest.skip(why)

"""The catalog's truth: triggers, partitions, views, functions, large objects and the storage."""

from __future__ import annotations

import pytest

from restore_drill.backups.model import Contents
from restore_drill.core.errors import message
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
        remedy=[
            "was the load cut off between DISABLE TRIGGER and ENABLE TRIGGER?",
            "ALTER TABLE ... ENABLE TRIGGER; rows written meanwhile were not checked by it",
        ],
    )
    if why := facts.why_unread("state of triggers"):
        pytest.skip(why)


def test_partitions_are_attached(facts: Facts) -> None:
    """Every partition, and every index of one, is attached as in the backup."""
    loose = facts.unattached
    assert not loose, message(
        f"{show_count(len(loose), 'partition')} not attached: {', '.join(loose[:SHOWN])}",
        checked=["ATTACH entries of the backup, and pg_inherits of the restored database"],
        remedy=["read the restore's errors: rows outside its bounds keep a partition out"],
    )
    if why := facts.why_unread("state of partitions"):
        pytest.skip(why)


def test_materialised_views_are_populated(facts: Facts) -> None:
    """Every materialised view that was populated in the source is so again."""
    empty = facts.unpopulated
    assert not empty, message(
        f"{show_count(len(empty), 'materialised view')} not populated: {', '.join(empty[:SHOWN])}",
        remedy=[
            "read the restore's errors for REFRESH MATERIALIZED VIEW",
            "give functions that it calls SET search_path or qualified names",
        ],
    )
    if why := facts.why_unread("materialised views"):
        pytest.skip(why)


def test_large_objects_came_back(facts: Facts, contents: Contents) -> None:
    """All large objects of the backup are there, and those that rows of type lo name."""
    if why := facts.why_unread("large objects"):
        pytest.skip(why)
    assert facts.large_objects >= contents.large_objects, message(
        f"{show_count(facts.large_objects, 'large object')} restored, "
        f"the backup has {contents.large_objects:,}",
        remedy=["read the restore's errors for lo_create"],
    )
    assert not facts.lost_large_objects, message(
        "rows name large objects that are not there",
        checked=facts.lost_large_objects,
        remedy=["pg_dump leaves them out with -B, and with -t or -n unless -b is given"],
    )
    if why := facts.why_unread("columns of large objects"):
        pytest.skip(why)


def test_views_resolve(facts: Facts) -> None:
    """Every view and materialised view finds the tables, columns and functions that it names."""
    broken = facts.unresolved_views
    assert not broken, message(
        f"{show_count(len(broken), 'view')} cannot be queried: {', '.join(list(broken)[:SHOWN])}",
        checked=[f"{name}: {error}" for name, error in broken.items()],
        remedy=["see whether the dump left a schema out (-n, -N, -T), or mend the view"],
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
        remedy=[
            "see whether the dump left a schema or table out (-n, -N, -T)",
            "drop functions that nothing calls any more from the source",
        ],
    )
    if why := facts.why_unread("functions"):
        pytest.skip(why)


def test_tables_have_statistics(facts: Facts) -> None:
    """Every table with rows has statistics, so that the first queries are planned well."""
    lacking = facts.without_statistics
    assert not lacking, message(
        f"{show_count(len(lacking), 'table')} without statistics: {', '.join(lacking[:SHOWN])}",
        remedy=["ANALYZE belongs to the recovery plan; did it fail or time out?"],
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
        remedy=[
            "check the source too: pg_amcheck --heapallindexed",
            "REINDEX a damaged index; look for a changed collation or operator class first",
        ],
    )
    if why := facts.why_unread("storage"):
        pytest.skip(why)

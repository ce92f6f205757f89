"""Constraints that are NOT VALID in the source: noted where every row keeps them all the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from restore_drill.core.units import show_count
from restore_drill.facts.listing import Listing, some

UNSEEN = "it is NOT VALID in the source too, and its rows were not looked at by its name"


def holds_in_leaves(name: str, listing: Listing, whole: Collection[str]) -> bool:
    """Whether the constraint `name` of a partitioned table is kept by each of its partitions."""
    table, _, constraint = name.partition(": ")
    leaves = {
        oid for each in listing.tables if each.full_name == table for oid in each.leaves or ()
    }
    labels = [f"{each.full_name}: {constraint}" for each in listing.tables if each.oid in leaves]
    return bool(labels) and all(label in whole for label in labels)


def unproved_notes(names: list[str]) -> Iterator[str]:
    """What to know of constraints that are NOT VALID and hold all the same."""
    if names:
        yield (
            f"{show_count(len(names), 'constraint')} NOT VALID, as in the source, though every row "
            f"keeps them: {some(names)}; VALIDATE CONSTRAINT in the source ends that"
        )

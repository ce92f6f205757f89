"""What a live database has, or had, that the restored one lacks: a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from restore_drill.core.units import show_count, some
from restore_drill.facts.fingerprint import Fingerprint, LargeObjects, TableFacts
from restore_drill.manifest.compare import Comparison
from restore_drill.manifest.objects import CHANGED, MISSING

SHOWN = 10
"""So many objects are named in a line at most."""


class Sides(NamedTuple):
    """What the two that are compared are called."""

    was: str
    now: str


BESIDE = Sides("in the live database", "in the restored one")
IN_PLACE = Sides("before the drill", "in the backup")


def lines_on_tables(
    live: dict[str, TableFacts],
    restored: dict[str, TableFacts],
    found: Comparison | None,
    sides: Sides = BESIDE,
) -> Iterator[str]:
    """A line on each table that differs, with its rows on both sides."""
    for name, was in live.items():
        now = restored.get(name)
        if found is not None and not found.difference(name):
            continue
        if was.rows is None or (now is not None and now.rows is None):
            yield f"{name} could not be compared: {was.error or (now.error if now else '')}"
        elif now is None:
            rows = show_count(was.rows, "row")
            yield f"{name}: {rows} {sides.was}, no such table {sides.now}"
        elif was.rows != now.rows:
            rows = show_count(was.rows, "row")
            yield f"{name}: {rows} {sides.was}, {now.rows:,} {sides.now}"
        elif was != now:
            columns = [each for each in was.columns if was.columns[each] != now.columns.get(each)]
            where = f" in {some(columns, SHOWN)}" if columns else ""
            yield f"{name}: {show_count(was.rows, 'row')} in both, with other content{where}"


def lines_on_the_rest(
    was: Fingerprint, now: Fingerprint, found: Comparison, sides: Sides = BESIDE
) -> Iterator[str]:
    """Lines on definitions, sequences and large objects that differ in the live database, `was`."""
    for how, words in ((CHANGED, f"differ {sides.now}"), (MISSING, "are missing there")):
        if lost := [f"{each.kind} {each.name}" for each in found.objects if each.how == how]:
            yield f"definitions that {words}: {some(lost, SHOWN)}"
    for name, facts in was.sequences.items():
        there = now.sequences.get(name)
        if there is not None and not facts.holds(there.before):
            yield (
                f"sequence {name}: at {facts.before.last_value:,} {sides.was}, "
                f"at {there.before.last_value:,} {sides.now}"
            )
    if was.large_objects.error or now.large_objects.error:
        error = was.large_objects.error or now.large_objects.error
        yield f"large objects could not be compared: {error}"
    elif was.large_objects != now.large_objects:
        yield (
            f"large objects: {described(was.large_objects)} {sides.was}, "
            f"{described(now.large_objects)} {sides.now}, content, owners or grants differ"
        )


def described(objects: LargeObjects) -> str:
    """`2 (17 bytes)`."""
    return f"{objects.count:,} ({show_count(objects.size, 'byte')})"

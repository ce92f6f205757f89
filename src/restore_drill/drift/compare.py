"""Compares what was restored with one measure: findings, each with its weight."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from restore_drill.core.names import as_before, split_name
from restore_drill.drift.causes import by_cause
from restore_drill.drift.findings import (
    ADDED,
    DATABASE,
    LOST,
    ROWS,
    Finding,
)
from restore_drill.drift.high import above, of_lost_partitions, parent_of
from restore_drill.drift.objects import not_comparable, of_objects
from restore_drill.drift.tolerance import Tolerance
from restore_drill.facts.schema.heads import moved, went_back
from restore_drill.facts.schema.model import DriftFacts, Highs, Measure

RENAMED = ("table", "column")
"""Kinds of objects that are named again where one is lost and one of the same shape is new."""
ROTATED = "partitions rotate: its table has new ones"


@dataclass(frozen=True)
class Difference:
    """All that differs from one measure; `moved` names the migration heads that have moved."""

    findings: tuple[Finding, ...]
    moved: tuple[str, ...]
    not_compared: tuple[tuple[str, str], ...]


def compare_with(measure: Measure, now: DriftFacts, tolerance: Tolerance) -> Difference:
    """How `now` differs from `measure`; a moved migration head excuses losses and changes."""
    was = measure.facts
    now = named_as_before(was, now)
    heads = moved(was.heads, now.heads)
    found = by_cause([*of_objects(was, now)], was)
    names = new_names(found, now)
    rotated = rotated_partitions(was, now)
    weighed: list[Finding] = []
    for each in found:
        excused = each.fails and heads
        if each.fails and each.kind == "table" and each.name in rotated:
            weighed.append(each.noted(ROTATED))
        elif excused:
            weighed.append(each.noted(f"the migration head has moved ({', '.join(heads)})"))
        else:
            weighed.append(hinted(each, names, was))
    gone = gone_partitions(was, now, rotated, heads)
    highs = {} if heads else measure.highs
    weighed += [*of_heads(was, now), *of_rows(was, now, tolerance, gone, highs)]
    weighed += of_database(was, now)
    return Difference(
        tuple(replace(each, against=measure.name, marks=(measure.mark,)) for each in weighed),
        tuple(heads),
        tuple(not_comparable(was, now)),
    )


def named_as_before(was: DriftFacts, now: DriftFacts) -> DriftFacts:
    """`now` with the names of an older state, where a part of some name holds a dot."""
    return replace(
        now,
        rows=as_before(now.rows, was.rows),
        heads=as_before(now.heads, was.heads),
        objects={
            kind: as_before(each, was.objects.get(kind, {})) for kind, each in now.objects.items()
        },
    )


def rotated_partitions(was: DriftFacts, now: DriftFacts) -> set[str]:
    """Partitions that are gone while their table is there and has got new ones."""

    def parents(facts: DriftFacts) -> dict[str, str]:
        known = facts.objects.get("partition", {})
        return {name: parent_of(each) for name, each in known.items()}

    before, after = parents(was), parents(now)
    growing = {parent for name, parent in after.items() if name not in before}
    return {name for name, parent in before.items() if name not in after and parent in growing}


def new_names(found: list[Finding], now: DriftFacts) -> dict[str, str]:
    """Name of the first new table or column of each shape."""
    names: dict[str, str] = {}
    for each in found:
        if each.what == ADDED and each.kind in RENAMED:
            names.setdefault(shape_of(each.kind, each.name, now), each.name)
    return names


def hinted(finding: Finding, names: dict[str, str], was: DriftFacts) -> Finding:
    """`finding` with the name that the object may have now; `names` are the new ones by shape."""
    if finding.what != LOST or finding.kind not in RENAMED:
        return finding
    name = names.get(shape_of(finding.kind, finding.name, was))
    if name is None:
        return finding
    return replace(finding, description=f"{finding.description} (renamed to {name}?)")


def shape_of(kind: str, name: str, facts: DriftFacts) -> str:
    """What stays the same when a table or a column is renamed, as a text."""
    if kind == "column":
        shape = [split_name(name)[:-1], facts.objects["column"].get(name)]
    else:
        shape = [facts.objects.get("order of the columns of", {}).get(name)]
    return json.dumps([kind, *shape], sort_keys=True)


def of_heads(was: DriftFacts, now: DriftFacts) -> Iterator[Finding]:
    """Migration heads that have lost versions."""
    for name in went_back(was.heads, now.heads):
        words = "went back: applied migrations are missing, and there are no new ones"
        yield Finding(LOST, "migration head", name, words, now=" ".join(now.heads[name]))


def of_rows(
    was: DriftFacts, now: DriftFacts, tolerance: Tolerance, gone_leaves: set[str], highs: Highs
) -> Iterator[Finding]:
    """Tables that are still there with far fewer (or more) rows; no migration excuses that.

    The rows of partitions in `gone_leaves` are not reported once more as those of their table.
    `highs` are what tables had before they shrank little by little.
    """
    parts = was.objects.get("partition", {})
    gone: Counter[str] = Counter()
    for leaf in gone_leaves:
        for table in above(leaf, parts):
            gone[table] += was.rows.get(leaf, 0)
    done: set[str] = set()
    unsteady = of_lost_partitions(was, now)
    for table in sorted(was.rows, key=lambda name: (name not in parts, name)):
        if table not in now.rows or table in done or table in was.heads:
            continue
        after = now.rows[table]
        words = tolerance.shrinkage(table, was.rows[table] - gone[table], after)
        if not words and table in highs and table not in unsteady:
            words = tolerance.shrinkage_since(table, highs[table], was.rows[table], after)
        if words:
            yield Finding(ROWS, "rows of", table, words, rows=after)
            done |= above(table, parts)
    if now.large_objects < tolerance.bounds("", was.large_objects)[0]:
        lost = f"are missing: there are {now.large_objects:,}, there were {was.large_objects:,}"
        yield Finding(LOST, "large", "objects", lost, rows=now.large_objects)


def gone_partitions(
    was: DriftFacts, now: DriftFacts, rotated: set[str], heads: list[str]
) -> set[str]:
    """Partitions reported as gone: all but those that rotate, which their table makes up."""
    lost = was.objects.get("partition", {}).keys() - now.objects.get("partition", {}).keys()
    return {*lost} if heads else lost - rotated


def of_database(was: DriftFacts, now: DriftFacts) -> Iterator[Finding]:
    """Another database, or one of another cluster, where the backups name it."""
    if was.database and now.database and was.database != now.database:
        how = f"is a different one: it used to be {was.database}"
        yield Finding(DATABASE, "database", now.database, how, now=now.database)
    elif was.system and now.system and was.system != now.system:
        how = "comes from another server: the system identifier has changed"
        yield Finding(DATABASE, "database", now.database, how, now=now.system)

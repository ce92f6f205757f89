"""The most rows that each table had: what shrinks a little every drill is reported in the end.

The last passed drill moves along with such a table. So its state keeps the highest number since the
rows were last accepted, a migration head moved, or a partition of the table went.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from restore_drill.core.names import joined
from restore_drill.facts.schema.heads import moved
from restore_drill.facts.schema.model import DriftFacts, High, Highs


def highs_after(
    was: DriftFacts, drill: str, highs: Highs, now: DriftFacts, accepted: Collection[str]
) -> dict[str, High]:
    """Highs once a drill has passed with `now`; `was` are the facts of `drill`.

    `highs` were those until then, `accepted` the tables whose rows were accepted in this drill.
    """
    if moved(was.heads, now.heads):
        return {}
    forgotten = {*accepted, *of_lost_partitions(was, now)}
    found = {}
    for table, rows in was.rows.items():
        high = highs.get(table, High(rows, drill))
        high = high if high.rows > rows else High(rows, drill)
        if table not in forgotten and high.rows > now.rows.get(table, high.rows):
            found[table] = high
    return found


def above(table: str, parts: Mapping[str, Mapping[str, object]]) -> set[str]:
    """Partitioned tables that `table` is part of: their rows count as its own."""
    found = set()
    while table in parts:
        table = parent_of(parts[table])
        found.add(table)
    return found


def parent_of(partition: Mapping[str, object]) -> str:
    """Table that a partition is part of."""
    return joined(str(partition.get("schema")), str(partition.get("parent")))


def of_lost_partitions(was: DriftFacts, now: DriftFacts) -> set[str]:
    """Tables that have lost a partition."""
    parts = was.objects.get("partition", {})
    lost = parts.keys() - now.objects.get("partition", {}).keys()
    return {table for leaf in lost for table in above(leaf, parts)}

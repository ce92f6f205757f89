"""Sequences: what each gives next, against what its column holds already."""

from __future__ import annotations

from restore_drill.core.names import joined
from restore_drill.facts.catalog import Counter
from restore_drill.facts.model import Sequence
from restore_drill.facts.pool import Connection, answer

NEAR = 1000
"""How many of the next values are looked for in the column."""


def check_sequence(connection: Connection, counter: Counter, *, in_backup: bool) -> Sequence:
    """Facts of one sequence; `in_backup` says that the backup itself sets its value.

    One that stands behind some far value of its column, and not behind its neighbours, collides
    only in time: a number given by hand. It is told apart only where the backup sets the value.
    """
    furthest = "max" if counter.increment > 0 else "min"
    outcome = answer(
        connection,
        f"SELECT last_value::numeric + CASE WHEN is_called THEN {counter.increment} ELSE 0 END,"
        f" (SELECT {furthest}({counter.column_quoted})::numeric FROM {counter.table_quoted})"
        f" FROM {counter.quoted}",
    )
    following, extreme = outcome.row or (0, None)
    found = Sequence(
        name=counter.full_name,
        column=joined(counter.table_schema, counter.table, counter.column),
        next_value=int(following),
        furthest=None if extreme is None else int(extreme),
        increment=counter.increment,
        values_left=max(0, int(counter.last - following) // counter.increment + 1),
        values=int(counter.values) // abs(counter.increment),
        error=outcome.error,
    )
    if found.is_ahead or outcome.error or not in_backup:
        return found
    ends = sorted((found.next_value, found.next_value + NEAR * counter.increment))
    near = answer(
        connection,
        f"SELECT count(*) FROM {counter.table_quoted}"
        f" WHERE {counter.column_quoted} BETWEEN {ends[0]} AND {ends[1]}",
    )
    return found.with_near(None if near.row is None else int(near.row[0]), near.error)

"""A database whose place holds several series: it has one drill, and one verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator

from restore_drill.core.errors import UsageError
from restore_drill.core.units import some
from restore_drill.fleet.known import Known

MOST_NAMED = 6
MOST_LISTED = 20


def refuse_several(known: Known) -> None:
    """UsageError where a database has several series: it has one drill, and one verdict."""
    if len(known.series) > 1:
        names = some(known.series, MOST_NAMED)
        raise UsageError(f"its backups are of several series, and a drill is of one: {names}")


def lines_to_write(known: Known) -> Iterator[str]:
    """What may stand in the inventory for a database that has several series, to be copied."""
    database = known.database
    yield f"In {database.where}, name the series of {database.name!r}, one of:"
    shown = known.series[:MOST_LISTED]
    yield from (f"    series = {json.dumps(each, ensure_ascii=False)}" for each in shown)
    if more := len(known.series) - len(shown):
        yield f"    (and {more:,} more)"
    yield "or have each drilled as a database of its own, with this in place of it:"
    yield "    [[discover]]"
    yield f"    source = {json.dumps(database.backups, ensure_ascii=False)}"

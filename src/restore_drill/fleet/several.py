"""A database whose place holds several series: it has one drill, and one verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator

from restore_drill.core.errors import UsageError
from restore_drill.core.units import some
from restore_drill.fleet.known import Known

MOST_NAMED = 6
MOST_LISTED = 20


def several_of(known: Known) -> list[str]:
    """The series of a database that has several, so that no drill of it begins; else none.

    Where the inventory names one, those called so count of which something is left: the drill fails
    for the others.
    """
    gone = known.gone if known.database.series else ()
    found = [each for each in known.series if each not in gone]
    return found if len(found) > 1 else []


def why_several(known: Known) -> str:
    """Why no drill of a database begins that has several series; empty where it has one."""
    names = some(several_of(known), MOST_NAMED)
    return f"its backups are of several series, and a drill is of one: {names}" if names else ""


def refuse_several(known: Known) -> None:
    """UsageError where a database has several series: it has one drill, and one verdict."""
    if why := why_several(known):
        raise UsageError(why)


def lines_to_write(known: Known) -> Iterator[str]:
    """What may stand in the inventory for a database that has several series, to be copied."""
    database, series = known.database, several_of(known)
    yield f"In {database.where}, name the series of {database.name!r}, one of:"
    shown = series[:MOST_LISTED]
    yield from (f"    series = {json.dumps(each, ensure_ascii=False)}" for each in shown)
    if more := len(series) - len(shown):
        yield f"    (and {more:,} more)"
    yield "or have each drilled as a database of its own, with this in place of it:"
    yield "    [[discover]]"
    yield f"    source = {json.dumps(database.backups, ensure_ascii=False)}"

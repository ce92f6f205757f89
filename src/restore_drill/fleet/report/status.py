"""`status` over a fleet: which databases have not passed within the time that they have for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from restore_drill.core.errors import message
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_duration, some
from restore_drill.fleet.keys import UNNOTED
from restore_drill.fleet.model import Inventory
from restore_drill.fleet.report.judged import NO_HISTORY, Judged, judged
from restore_drill.fleet.report.lines import width_of
from restore_drill.fleet.report.steps import only_words
from restore_drill.watch.history import History
from restore_drill.watch.judgement import seconds_since
from restore_drill.watch.look import Look
from restore_drill.watch.status_json import is_retired, of_series

RED = ("failed", "could-not-run", "incomplete")
"""States in which a report says what is wrong."""
MOST_NAMED = 8
"""So many databases are named in the last line."""


def fleet_status(
    inventory: Inventory, histories: Mapping[str, History], now: datetime | None = None
) -> tuple[list[str], int]:
    """Lines and exit code of `inventory`, by what is noted of each database.

    One that is missing in `histories` has never been drilled.
    """
    now = now or datetime.now(UTC)
    found = [
        judged(each, histories.get(name, NO_HISTORY), now)
        for name, each in inventory.databases.items()
    ]
    found.sort(key=lambda each: each.rank)
    return list(lines_of(found, inventory, now)), code_of(found)


def code_of(found: Sequence[Judged]) -> int:
    """Exit code: 0 without a problem, else 1."""
    return 1 if not found or any(each.series.problem for each in found) else 0


def lines_of(found: Sequence[Judged], inventory: Inventory, now: datetime) -> Iterator[str]:
    """A line for each database, and the problems at the end; printable."""
    width = width_of(each.database.name for each in found)
    for each in found:
        yield printable(f"{printable(each.database.name):<{width}}  {words(each, now)}")
    yield from map(printable, ending(found, inventory))


def words(each: Judged, now: datetime) -> str:
    """`OK, passed 2 h ago`, `PROBLEM: the last drill failed; ...`, `retired`."""
    series = each.series
    owner = f" ({each.database.owner})" if each.database.owner else ""
    if series.problem:
        return f"PROBLEM{owner}: {series.what}"
    if is_retired(series):
        return "retired"
    last = series.last_pass
    ago = f", passed {show_duration(seconds_since(last, now))} ago" if last else ""
    return f"OK{ago}" + (f", {series.skip.words}" if series.skip else "")


def ending(found: Sequence[Judged], inventory: Inventory) -> Iterator[str]:
    """What is said of all, with what to do."""
    if inventory.undecided:
        names = some(inventory.undecided, MOST_NAMED)
        count, verb = len(inventory.undecided), "are" if inventory.undecided[1:] else "is"
        yield f"! {show_count(count, 'database')} {verb} not in the inventory: {names}"
    if code_of(found) == 0:
        yield f"OK: {show_count(len(found), 'database')}, none without a pass in time"
    else:
        yield from message(f"PROBLEM: {summed(found, inventory)}", (), steps(found)).splitlines()


def steps(found: Sequence[Judged], *, has_pages: bool = False) -> list[str]:
    """What to do; nothing where all is in order, or the lines of the databases say it.

    With pages, reports are a click away.
    """
    bad = [
        each for each in found if (problem := each.series.problem) and UNNOTED not in problem.what
    ]
    if not bad:
        return []
    if all(each.state == "never-drilled" for each in found):
        return remedy_for("fleet_status", "first")
    red = [each.database.name for each in bad if each.state in RED]
    is_late = any(each.state not in (*RED, "unknown") for each in bad)
    causes = {"red": bool(red) and not has_pages, "late": is_late}
    wanted = [cause for cause, is_wanted in causes.items() if is_wanted]
    only = only_words([each.database.name for each in bad])
    names = some(red, MOST_NAMED) if red else ""
    return [
        step
        for cause in (*wanted, "again")
        for step in remedy_for("fleet_status", cause, names=names, only=only)
    ]


def summed(found: Sequence[Judged], inventory: Inventory) -> str:
    """The problems in a line, empty without any."""
    bad = [each.database.name for each in found if each.series.problem]
    if not found:
        return f"{inventory.path} names no database"
    total = show_count(len(found), "database")
    names = some(bad, MOST_NAMED)
    has = "have" if len(bad) > 1 else "has"
    return f"{len(bad):,} of {total} {has} a problem: {names}" if bad else ""


def for_programs(found: Sequence[Judged], inventory: Inventory) -> dict[str, Any]:
    """The same for programs, as `status --json` has it of series."""
    return {
        "schema": 1,
        "ok": code_of(found) == 0,
        "problem": summed(found, inventory),
        "inventory": str(inventory.path),
        "databases": [of_database(each) for each in found],
        "undecided": list(inventory.undecided),
    }


def of_database(each: Judged) -> dict[str, Any]:
    """One database."""
    database = each.database
    series = of_series(Look(each.history, [each.series], None), each.series)
    series.pop("history")
    return {
        "name": database.name,
        "owner": database.owner,
        "labels": dict(database.labels),
        "state": each.state,
        "series": series.pop("name") or None,
        **series,
        "limit_seconds": each.rules.limit,
    }

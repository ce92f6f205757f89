"""`status` over a fleet: which databases have not passed within the time that they have for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from restore_drill.core.errors import message
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_duration, some
from restore_drill.fleet.model import Database, Inventory
from restore_drill.watch.history import History
from restore_drill.watch.judgement import (
    Problem,
    Rules,
    Series,
    judge,
    judge_series,
    seconds_since,
)
from restore_drill.watch.status_json import is_retired
from restore_drill.watch.status_lines import URGENT

MOST_NAMED = 8
"""So many databases are named in the last line."""
MOST_TO_TYPE = 3
"""So many are named in the command that drills them."""
NO_HISTORY = History(Path(), [])


class Judged(NamedTuple):
    """A database, and that of its series which is worst off."""

    database: Database
    series: Series

    @property
    def rank(self) -> tuple[int, str]:
        """Sorts what is most urgent first, then by name."""
        problem = self.series.problem
        return URGENT.index(problem.cause) if problem else len(URGENT), self.database.name


def fleet_status(
    inventory: Inventory, histories: Mapping[str, History], now: datetime | None = None
) -> tuple[list[str], int]:
    """Lines, a database each and the problems at the end; exit code 0 without a problem, else 1.

    `histories` has what is noted of each database by its name; one that is missing there has never
    been drilled. Lines are printable.
    """
    now = now or datetime.now(UTC)
    found = [
        judged(each, histories.get(name, NO_HISTORY), now)
        for name, each in inventory.databases.items()
    ]
    found.sort(key=lambda each: each.rank)
    width = max((len(printable(each.database.name)) for each in found), default=0)
    lines = [f"{printable(each.database.name):<{width}}  {words(each, now)}" for each in found]
    lines += list(ending(found, inventory))
    is_bad = not found or any(each.series.problem for each in found)
    return [printable(line) for line in lines], 1 if is_bad else 0


def judged(database: Database, history: History, now: datetime) -> Judged:
    """`database` by what its `history` has of its series; of several the one that is worst off."""
    if database.unlisted:
        return Judged(database, Series("", [], Problem(database.unlisted, URGENT[0])))
    rules = rules_of(database)
    wanted = database.series.strip("/")
    series = [
        each
        for each in judge(history, rules, now)
        if not wanted or each.name.strip("/") == wanted or each.name.startswith(f"{wanted} (")
    ]
    series = series or [judge_series(wanted, [], history, rules, now)]
    return min((Judged(database, each) for each in series), key=lambda each: each.rank)


def rules_of(database: Database) -> Rules:
    """By its `every`, with the grace that any schedule has; else the usual limit."""
    return Rules() if database.every is None else Rules.scheduled(database.every)


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


def ending(found: list[Judged], inventory: Inventory) -> Iterator[str]:
    """What is said of all, with what to do."""
    total = show_count(len(found), "database")
    bad = [each for each in found if each.series.problem]
    if inventory.undecided:
        names = some(inventory.undecided, MOST_NAMED)
        yield f"! {len(inventory.undecided):,} found that the inventory does not name: {names}"
    if not found:
        yield f"PROBLEM: {inventory.path} names no database"
    elif not bad:
        yield f"OK: {total}, none without a pass in time"
    else:
        names = some([each.database.name for each in bad], MOST_NAMED)
        what = f"PROBLEM: {len(bad):,} of {total} without a pass in time, or unsteady: {names}"
        only = " ".join(quote(each.database.name) for each in bad[:MOST_TO_TYPE])
        yield from message(what, (), remedy_for("fleet", "status", names=only)).splitlines()

"""Whether each database of a fleet has passed within the time that it has for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from restore_drill.core.printable import printable
from restore_drill.core.units import some
from restore_drill.fleet.known import Known
from restore_drill.fleet.model import Database
from restore_drill.watch.history import History
from restore_drill.watch.judgement import Problem, Rules, Series, judge, judge_series
from restore_drill.watch.status_json import is_retired

NO_HISTORY = History(Path(), [])
STATES = (
    "failed", "could-not-run", "incomplete", "unknown", "overdue", "never-drilled", "unsteady",
    "skipped", "retired", "passed",
)  # fmt: skip
"""In which a database may be, the worst first; `passed`: in time."""
MOST_NAMED = 6
OF_CAUSES = {"unsteady": "unsteady", "lost": "unknown", "skipped": "overdue", "unknown": "unknown"}
"""State by the cause of a problem; of other causes it takes a look at the drills."""


class Judged(NamedTuple):
    """A database, and that of its series which is worst off, by its own `rules`."""

    database: Database
    series: Series
    rules: Rules = Rules()
    history: History = NO_HISTORY

    @property
    def state(self) -> str:
        """One of STATES."""
        problem, drills = self.series.problem, self.series.drills
        if problem is None:
            skip = "retired" if is_retired(self.series) else "skipped"
            return skip if self.series.skip else "passed"
        if problem.cause == "failed":
            verdict = drills[-1].verdict
            return verdict if verdict in STATES else "incomplete"
        late = "overdue" if drills else "never-drilled"
        return OF_CAUSES.get(problem.cause, late)

    @property
    def rank(self) -> tuple[int, str]:
        """Sorts what is most urgent first, then by name."""
        return STATES.index(self.state), self.database.name


def judged(
    database: Database, history: History, now: datetime, rules: Rules | None = None
) -> Judged:
    """`database` by what its `history` has of its series; of several the one that is worst off."""
    rules, wanted = rules or rules_of(database), database.series
    series = [
        each
        for each in judge(history, rules, now)
        if not wanted or each.name == wanted or each.name.startswith(f"{wanted} (")
    ]
    series = series or [judge_series(wanted, [], history, rules, now)]
    found = (Judged(database, each, rules, history) for each in series)
    return min(found, key=lambda each: each.rank)


def rules_of(database: Database, known: Known | None = None) -> Rules:
    """By its `every`, with the grace that any schedule has; else by its criteria file."""
    if database.every is not None:
        return Rules.scheduled(database.every)
    settings = known and known.settings
    return Rules.of(settings.criteria) if settings else Rules()


def all_judged(known: Mapping[str, Known], now: datetime) -> list[Judged]:
    """Each database by what is `known` of its drills, the most urgent first.

    One whose history cannot be read is no better than one that never was drilled.
    """
    found = []
    for each in known.values():
        # Its history has its own drills alone, whatever its series is called in full.
        plain = replace(each.database, series="")
        one = judged(plain, each.history, now, rules_of(plain, each))
        if (several := several_in(each, one.rules, now)) and not one.series.problem:
            one = one._replace(series=one.series._replace(problem=Problem(several, "unknown")))
        if each.why_unnoted:
            unknown = f"nothing is known of its drills: {each.why_unnoted}"
            one = one._replace(
                series=one.series._replace(
                    problem=Problem(each.database.unlisted or unknown, "unknown")
                )
            )
        found.append(one._replace(database=each.database))
    return sorted(found, key=lambda each: each.rank)


def several_in(known: Known, rules: Rules, now: datetime) -> str:
    """That drills have seen several series of the name that the inventory has; else empty.

    The next drill does not begin, or fails for those of which nothing is left.
    """
    wanted, names = printable(known.database.series), set[str]()
    for series in judge(known.history, rules, now):
        own = [each for each in series.drills if each.series and each.sha256]
        if wanted and own and not is_retired(series):
            name = own[-1].series or ""
            # The folder of those that lie in the place itself may have been called otherwise.
            is_direct = "/" not in (own[-1].backup or "")
            names.add(name.rpartition("/")[2] if is_direct else name)
    if len(names) < 2 or wanted in names & {each.series for each in known.history.drills}:
        return ""
    return (
        f"drills have seen several series called {wanted!r}, and a drill is of one: "
        f"{some(sorted(names), MOST_NAMED)}; write the whole name of one (series)"
    )

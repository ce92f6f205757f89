"""The lines of a message about a run: what became of each database, and what to do first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from restore_drill.core.units import show_duration, some
from restore_drill.fleet.report import outcome as outcomes
from restore_drill.fleet.report.lines import alike
from restore_drill.fleet.report.run import in_words

MOST_NAMED = 10
"""So many databases does a message name; the rest is counted."""
STEP = re.compile(r"\A\d+\. ")


def line_of(outcome: outcomes.Outcome, others: Sequence[outcomes.Outcome]) -> str:
    """`failed: shop (ann), shop.dump, 2 h old: test_...: 2 rows are missing`."""
    facts = ", ".join(filter(None, (named(outcome, others), backup_of(outcome))))
    return f"{in_words(outcome.state)}: {facts}" + (f": {outcome.why}" if outcome.why else "")


def named(outcome: outcomes.Outcome, others: Sequence[outcomes.Outcome]) -> str:
    """Its name; with the owner where `others` have another one."""
    owner = outcome.database.owner
    is_several = len({each.database.owner for each in others}) > 1
    return f"{outcome.name} ({owner})" if owner and is_several else outcome.name


def backup_of(outcome: outcomes.Outcome) -> str:
    """`shop.dump, 2 h old`, as far as that is known."""
    measured = outcome.measured
    age = "" if measured.age is None else f"{show_duration(measured.age)} old"
    return ", ".join(filter(None, (measured.backup, age)))


def lines_of(bad: Sequence[outcomes.Outcome]) -> Iterator[str]:
    """A line for each of `bad`, the rest counted; one for all that one thing kept from running.

    Where there are several, the first step for each is below it, unless it has been given.
    """
    groups, told = alike(bad), {""}
    for group in groups[:MOST_NAMED]:
        yield line_of(group[0], bad) if len(group) == 1 else line_of_several(group, bad)
        step = STEP.sub("", next(iter(group[0].measured.remedy), ""))
        if len(bad) > 1 and step not in told:
            told.add(step)
            yield f"  next: {step}"
    if more := sum(map(len, groups[MOST_NAMED:])):
        yield f"and {more:,} more"


def still_lines(rows: Sequence[outcomes.Outcome], quiet: Collection[str] = ()) -> Iterator[str]:
    """`Still failed: a`, and which could not run as those that hear of it know."""
    yield from of_names("Still failed", [each for each in rows if each.is_red])
    yield from of_names("Still could not run", [each for each in rows if each.name in quiet])


def line_of_several(group: Sequence[outcomes.Outcome], others: Sequence[outcomes.Outcome]) -> str:
    """`not begun: no worker came: a, b and 3 more`; the reason first, since the end may be cut."""
    names = some([named(each, others) for each in group], MOST_NAMED)
    return f"{in_words(group[0].state)}: {group[0].why}: {names}"


def of_names(title: str, rows: Sequence[outcomes.Outcome]) -> Iterator[str]:
    """`Passed again: a, b`; nothing without any."""
    if rows:
        yield f"{title}: {some([each.name for each in rows], MOST_NAMED)}"

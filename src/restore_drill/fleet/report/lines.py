"""What a terminal or a log reads of a run: a line a database, progress, and the summary."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from restore_drill.core.printable import printable, shown_path
from restore_drill.core.units import show_duration, some
from restore_drill.fleet.report.outcome import Outcome
from restore_drill.fleet.report.run import Fleet, headline, tally
from restore_drill.fleet.report.steps import MOST_TOLD, next_steps

MOST_LISTED = 20
"""So many databases that are not in order does the summary list."""
MOST_NAMED = 3
"""So many that run are named in a line of progress."""
LONGEST_NAME = 40
"""Characters up to which names are aligned."""
KINDS = {"failed": "bad", "could-not-run": "bad", "not-begun": "bad", "passed": "good"}
"""How a line is coloured: by `bad`, `good`, or as a warning."""


def ended_line(outcome: Outcome, width: int = 0) -> tuple[str, str]:
    """`good`, `warn` or `bad`, and the line of a database: verdict, name, backup, time, problem.

    Names are aligned to `width` characters. It is printable, not always ASCII: see `fitted`.
    """
    took = "" if outcome.seconds is None else show_duration(outcome.seconds)
    tries = f"{outcome.tries} tries" if outcome.tries > 1 else ""
    why = problem_of(outcome) or outcome.why
    why = f"warning: {why}" if outcome.state == "warnings" else why
    backup = "" if outcome.measured.backup in why else outcome.measured.backup
    facts = ", ".join(filter(None, (backup, took, tries, why)))
    name = printable(outcome.name)
    line = f"{outcome.word:<13}  {name:<{width}}  {facts}"
    return KINDS.get(outcome.shown_state, "warn"), printable(line.rstrip())


def problem_of(outcome: Outcome) -> str:
    """What is wrong, in short: of what failed before its finding; empty of what was not due."""
    if outcome.is_red:
        return outcome.measured.finding or outcome.why
    return "" if outcome.state == "not-due" else outcome.why


def width_of(names: Iterable[str]) -> int:
    """Characters to which `names` are aligned: a very long one does not move all others away."""
    lengths = (len(printable(name)) for name in names)
    return max((each for each in lengths if each <= LONGEST_NAME), default=0)


def progress_line(
    ended: int, total: int, running: Sequence[str], seconds_left: float | None = None
) -> str:
    """`12 of 40, running: a, b and 3 more; about 6 min left`."""
    line = f"{ended:,} of {total:,}"
    if running:
        line += f", running: {some(running, MOST_NAMED)}"
    if seconds_left is not None and ended < total:
        line += f"; about {rounded(seconds_left)} left"
    return printable(line)


def rounded(seconds: float) -> str:
    """A time to come, no more exact than anybody can know it: `40 s`, `6 min`, `2 h 10 min`."""
    step = 10 if seconds < 60 else 60 if seconds < 3600 else 600
    return show_duration(max(1, round(seconds / step)) * step)


def seconds_left(
    waiting: Sequence[float | None],
    running: Sequence[tuple[float | None, float]],
    ended: Sequence[float],
    at_once: int,
) -> float | None:
    """Seconds until all is done, None where nobody can say.

    `waiting` has what each drill took before (None: unknown), `running` the same beside the
    seconds that it runs already, `ended` what those took that have ended; `at_once` run side by
    side. An unknown one counts as the mean of those that are known.
    """
    known = [*ended, *(each for each in waiting if each is not None)]
    known += [each for each, _ in running if each is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    to_come = [mean if each is None else each for each in waiting]
    rest = [max((mean if each is None else each) - so_far, 0.0) for each, so_far in running]
    longest = max([*to_come, *rest], default=0.0)
    return max(longest, (sum(to_come) + sum(rest)) / max(at_once, 1))


def closing_lines(fleet: Fleet, page: Path | None) -> Iterator[tuple[str, str]]:
    """The summary: verdict, counts, the worst first, what to do next, where the report lies.

    As `ended_line`, with `head` for the first line.
    """
    yield "head", f"---- {headline(fleet)} ----"
    yield "plain", tally(fleet) + took_words(fleet)
    rows = [each for each in fleet.rows if not each.is_green and each.shown_state != "not-due"]
    warned = [each for each in fleet.rows if each.state == "warnings"]
    groups = alike([*rows, *warned])
    width = width_of(group[0].name for group in groups[:MOST_LISTED] if len(group) == 1)
    yield from (line_of(group, width) for group in groups[:MOST_LISTED])
    if more := sum(map(len, groups[MOST_LISTED:])):
        yield "plain", f"and {more:,} more, which the report shows"
    for number, step in enumerate(next_steps(fleet), start=1):
        yield "plain", printable(f"  {number}. {step}")
    if page is not None:
        yield "plain", printable(f"Report: {shown_path(page)}")


def alike(rows: Iterable[Outcome]) -> list[list[Outcome]]:
    """`rows` in groups: together are those that one thing kept from running."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for each in rows:
        is_common = each.state in ("could-not-run", "not-begun") and each.why
        groups.setdefault((each.state, each.why if is_common else f"\0{each.name}"), []).append(
            each
        )
    return list(groups.values())


def line_of(group: Sequence[Outcome], width: int) -> tuple[str, str]:
    """The line of a database, or of several that are alike: `NOT BEGUN  a, b: no worker`."""
    first = group[0]
    if len(group) == 1:
        return ended_line(first, width)
    names = some([each.name for each in group], MOST_TOLD)
    return KINDS[first.state], printable(f"{first.word:<13}  {names}: {first.why}")


def took_words(fleet: Fleet) -> str:
    """`; took 12 min`, nothing while it runs."""
    if fleet.ended is None:
        return ""
    return f"; took {show_duration(max((fleet.ended - fleet.started).total_seconds(), 0.0))}"


def cut(text: str, columns: int) -> str:
    """As much of `text` as fits into `columns` of a terminal: some characters take two of them."""
    for place, character in enumerate(text):
        columns -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns < 0:
            return text[:place]
    return text


def fitted(text: str, encoding: str | None) -> str:
    """`text` as a stream of `encoding` can show it; ASCII where that is not known."""
    encoding = encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)

"""The lines of what was found: findings, waivers, warnings, and what was not checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from restore_drill.core.units import show_count
from restore_drill.results.criterion import weight_of
from restore_drill.results.result import Result
from restore_drill.results.words import (
    depends,
    first_line,
    problems_of,
    short_name,
    unreached_of,
    waived_of,
)

MOST_LINES = 20
"""So many lines of a kind stand in a banner; the report has all of them."""
MOST_NAMES = 50
"""So many names stand in a line."""

LONGEST = 80
"""So many characters name what was not checked for one reason."""

Line = tuple[str, str]
"""Kind of a step line (`ok`, `bad`, `warn`, `note`) and its text."""


def finding_lines(result: Result) -> Iterator[Line]:
    """Criteria that failed or could not run, those with the same message on one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for check in problems_of(result):
        key = (check["outcome"], first_line(check["message"]))
        grouped.setdefault(key, []).append(short_name(check["id"]))
    for (outcome, message), names in list(grouped.items())[:MOST_LINES]:
        yield ("bad" if outcome == "failed" else "warn"), f"{listed(names)}: {message}"
    if len(grouped) > MOST_LINES:
        others = [name for names in list(grouped.values())[MOST_LINES:] for name in names]
        yield "bad", f"{show_count(len(grouped) - MOST_LINES, 'more finding')}, of {listed(others)}"
    if unreached := sum(map(weight_of, unreached_of(result))):
        number = show_count(unreached, "criterion", "criteria")
        yield "warn", f"Not run because of this: {number}"


def listed(names: Sequence[str]) -> str:
    """`a, b, c and 12 more (all are in the report)`."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    more = len(names) - MOST_NAMES
    return f"{', '.join(names[:MOST_NAMES])} and {more} more (all are in the report)"


def warning_lines(result: Result) -> Iterator[Line]:
    """What does not fail the drill."""
    for warning in result["warnings"][:MOST_LINES]:
        yield "warn", f"Warning: {warning}"
    if (more := len(result["warnings"]) - MOST_LINES) > 0:
        yield "warn", f"{show_count(more, 'more warning')}: see the report"


def waived_lines(result: Result) -> Iterator[Line]:
    """Known findings that a waiver accepts for now, one a line."""
    for check in waived_of(result):
        line = first_line(check["message"])
        yield "warn", waived_line(short_name(check["id"]), line, check["waiver"])


def waived_line(name: str, finding: str, waiver: dict[str, str]) -> str:
    """`Waived until 2027-01-31: test_x[cards]: what was found (why it is accepted)`."""
    return f"Waived until {waiver['expires']}: {name}: {finding} ({waiver['reason']})"


def not_checked_lines(result: Result) -> Iterator[Line]:
    """What was not checked, a line for each reason; the report has every part of it."""
    grouped: dict[str, list[str]] = {}
    criteria: Counter[str] = Counter()
    for entry in result["not_checked"] if result["checks"] else ():
        if depends(entry["why"]):
            continue  # they stand beside what they depend on
        grouped.setdefault(entry["why"], []).append(short_name(entry["what"]))
        criteria[entry["why"]] += entry.get("criteria", 0)
    for why, whats in list(grouped.items())[:MOST_LINES]:
        what = "; ".join(whats)
        if whats[1:] and criteria[why]:
            what = show_count(criteria[why], "criterion", "criteria")
        elif whats[1:] and len(what) > LONGEST:
            what = f"{whats[0]}, and {show_count(len(whats) - 1, 'more point')}"
        yield "warn", f"Not checked: {what} ({why})"
    if len(grouped) > MOST_LINES:
        yield "warn", f"Not checked for {len(grouped) - MOST_LINES} more reasons: see the report"

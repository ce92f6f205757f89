"""`restore-drill status`: does the drill still run, and does it pass? For people and monitors."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from restore_drill.config.options import usage_error
from restore_drill.config.settings import settings_here
from restore_drill.core.calling import DRILL
from restore_drill.core.errors import UsageError
from restore_drill.core.printable import printable, printable_json
from restore_drill.core.units import (
    parse_duration,
    show_bytes,
    show_count,
    show_duration,
    show_time,
)
from restore_drill.watch.history import Drill, by_series, history_path, read_history

SHOWN = 10
SLOW = 1.5
"""How many times its usual time a restore may take before it is worth a word."""
LOOKED_BACK = 4
"""So many drills back a pass may stand among failures: of them most must have passed."""
LEAST = 3
"""Drills that make a usual time."""
DRILL_NOW = f"  2. drill now: {DRILL}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--max-age", default="8d", metavar="TIME", help="age of the last pass (8d: a weekly drill)"
    )
    parser.add_argument("--json", action="store_true", help="print it for a dashboard")


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Tell how the drill stands; the exit code: 0 all is well, 1 it is not, 4."""
    settings = settings_here({}, root)
    path = history_path(settings)
    if path is None:
        raise usage_error(
            "backup_path", "is unset", "name the directory whose drills are noted there"
        )
    try:
        limit = parse_duration(parsed.max_age)
    except ValueError as error:
        raise UsageError(f"--max-age {error}") from None
    drills, now = read_history(path), datetime.now(UTC)
    judged = judge(drills, limit, now)
    if parsed.json:
        text = printable_json(for_dashboard(drills, judged), indent=1)
    else:
        text = "\n".join(map(printable, lines_of(judged, path, now)))
    sys.stdout.write(text + "\n")
    return 1 if any(each.trouble for each in judged) else 0


class Series(NamedTuple):
    """Drills of one series, oldest first, and what is wrong with them; empty where all is well."""

    name: str
    drills: list[Drill]
    trouble: str

    @property
    def has_run(self) -> bool:
        """Whether a trouble is the outcome of a drill, not that there was none."""
        return bool(self.drills) and not self.drills[-1].has_passed

    @property
    def title(self) -> str:
        """How it is called."""
        return self.name or "no backup was found"


def judge(drills: Sequence[Drill], limit: float, now: datetime) -> list[Series]:
    """Each series with what is wrong with it.

    One that passed in its only drill is not judged by its age while others are drilled: names that
    hold a commit or a random part make a series of each backup.
    """
    judged = [
        Series(name, of_it, trouble_of(of_it, limit, now))
        for name, of_it in (by_series(drills) or {"": []}).items()
    ]
    if not drills or trouble_of(drills[-1:], limit, now):
        return judged
    return [
        each._replace(trouble="") if len(each.drills) == 1 and not each.has_run else each
        for each in judged
    ]


def summed(judged: Sequence[Series]) -> str:
    """The troubles of all series in a line, each with its name where there are several."""
    several = len(judged) > 1
    return "; ".join(
        f"{each.title}: {each.trouble}" if several else each.trouble
        for each in judged
        if each.trouble
    )


def lines_of(judged: Sequence[Series], path: Path, now: datetime) -> list[str]:
    """What people read: each series with its judgement, and those that are not well at the end."""
    if len(judged) == 1:
        only = judged[0]
        return [*told(only.drills, now), *trouble_told(only.trouble, path, has_run=only.has_run)]
    lines = []
    for each in judged:
        well = f"not well: {each.trouble}" if each.trouble else "well"
        lines += [f"Series {each.title}: {well}", *(f"  {line}" for line in told(each.drills, now))]
    bad = [each for each in judged if each.trouble]
    if not bad:
        return [*lines, *trouble_told("", path, has_run=False)]
    worst = max(bad, key=lambda each: each.has_run)
    retired = f"  3. is a series no longer backed up? take its lines out of {path}"
    return [*lines, *trouble_told(summed(judged), path, has_run=worst.has_run), retired]


def trouble_of(drills: Sequence[Drill], limit: float, now: datetime) -> str:
    """What is wrong, empty where all is well.

    The last drill has passed and is younger than `limit` seconds, and one pass among failures is
    none: of the last four at most one has not passed, or the last two have.
    """
    if not drills:
        return "no drill has been noted"
    last = drills[-1]
    if not last.has_passed:
        first = f", first {last.red[0]}" if last.red else ""
        return f"the last drill {in_words(last.verdict)}{first}"
    age = (now - last.at).total_seconds()
    if age > limit:
        return f"the last drill passed {show_duration(age)} ago, allowed are {show_duration(limit)}"
    recent = drills[-LOOKED_BACK:]
    reds = sum(not drill.has_passed for drill in recent)
    if reds > 1 and not all(drill.has_passed for drill in recent[-2:]):
        return f"{reds} of the last {len(recent)} drills did not pass, though the last one did"
    return ""


def in_words(verdict: str) -> str:
    """`failed`, `could not run`."""
    return verdict.replace("-", " ")


def trouble_told(trouble: str, path: Path, *, has_run: bool) -> list[str]:
    """The trouble with what to do about it, or that there is none.

    `has_run` says that the trouble is the outcome of a drill, not that there was none.
    """
    if not trouble:
        return ["All is well"]
    first = "look whether the drill is still scheduled, and read the log of its last run"
    if "though the last one did" in trouble:
        first = "read the reports of those that did not: do the backups differ, or the machines?"
    if has_run:
        first = "read the report of that drill: it says what is lost and what to do"
    return [f"Not well: {trouble}", f"  checked: {path}", f"  1. {first}", DRILL_NOW]


def told(drills: Sequence[Drill], now: datetime) -> list[str]:
    """The last drills, newest first, and what became of all of them."""
    lines = [line_of(drill) for drill in reversed(drills[-SHOWN:])]
    passes = [drill for drill in drills if drill.has_passed]
    if drills:
        kinds = Counter(in_words(drill.verdict) for drill in drills)
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        share = f"{len(passes) / len(drills):.0%}"
        lines.append(f"{show_count(len(drills), 'drill')} noted: {counts} ({share} passed)")
    if passes:
        age = show_duration((now - passes[-1].at).total_seconds())
        lines.append(f"Last pass: {age} ago, of {passes[-1].backup}")
    return lines + trend(passes)


def trend(passes: Sequence[Drill]) -> list[str]:
    """How long a restore usually takes, and a word where the last one took much longer."""
    times = [drill.restore for drill in passes if drill.restore is not None]
    if len(times) <= LEAST:
        return []
    usual = statistics.median(times[-SHOWN - 1 : -1])
    lines = [f"Restore: {show_duration(times[-1])}, usually {show_duration(usual)}"]
    if times[-1] > SLOW * usual:
        lines.append(f"! The last restore took {times[-1] / usual:.1f} times as long as usual")
    return lines


def line_of(drill: Drill) -> str:
    """`2026-11-23 05:00:12 UTC  passed (proven)  shop.dump, 1.2 MB, 900 rows, restore 0.42 s`."""
    verdict = in_words(drill.verdict) + (f" ({drill.strength})" if drill.strength else "")
    facts = [drill.backup or "no backup"]
    if drill.size is not None:
        facts.append(show_bytes(drill.size))
    if drill.rows is not None:
        facts.append(show_count(drill.rows, "row"))
    for name, seconds in (("restore", drill.restore), ("total", drill.total)):
        if seconds is not None:
            facts.append(f"{name} {show_duration(seconds)}")
    if drill.red:
        facts.append(drill.red[0])
    return f"{show_time(drill.at)}  {verdict:<20} {', '.join(facts)}"


def for_dashboard(drills: Sequence[Drill], judged: Sequence[Series]) -> dict[str, Any]:
    """The same for machines: `ok`, `trouble`, `last_passed_at`, and the drills, oldest first.

    `last_passed_at` is that of the series that passed longest ago, null where one never did.
    """
    bad = [each for each in judged if each.trouble]
    series = [
        {
            "name": each.name,
            "ok": not each.trouble,
            "trouble": each.trouble,
            "last_passed_at": last_pass(each.drills),
        }
        for each in judged
    ]
    passes = [last_pass(each.drills) for each in judged]
    return {
        "schema": 1,
        "ok": not bad,
        "trouble": summed(judged),
        "last_passed_at": None if None in passes else min(filter(None, passes)),
        "series": series,
        "drills": [drill.as_json() for drill in drills],
    }


def last_pass(drills: Sequence[Drill]) -> str | None:
    """When the last of `drills` that passed began."""
    return next((each.at.isoformat() for each in reversed(drills) if each.has_passed), None)

"""`restore-drill status`: does the drill still run, and does it pass? For people and monitors."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restore_drill.config.options import usage_error
from restore_drill.config.settings import settings_here
from restore_drill.core.errors import UsageError, message
from restore_drill.core.printable import printable, printable_json
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import (
    parse_duration,
    show_bytes,
    show_count,
    show_duration,
    show_time,
)
from restore_drill.watch.absence import announce_absent
from restore_drill.watch.history import Drill, history_path, read_history
from restore_drill.watch.judgement import Series, in_words, judge

SHOWN = 10
SLOW = 1.5
"""How many times its usual time a restore may take before it is worth a word."""
LEAST = 3
"""Drills that make a usual time."""
URGENT = ("failed", "unsteady", "not_run")
"""Causes of a problem, that which counts most first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--max-age", default="8d", metavar="TIME", help="maximum age of the last pass [default: 8d]"
    )
    parser.add_argument("--json", action="store_true", help="print it for a dashboard")
    parser.add_argument(
        "--notify", action="store_true", help="send a message, once a day, where no drill came"
    )


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Print how the drills went; exit code 0 without a problem, 1 with one, 4 for a wrong call."""
    settings = settings_here({}, root)
    path = history_path(settings)
    if path is None:
        raise usage_error(
            "backup_path",
            "is unset, and so is --history (DRILL_HISTORY)",
            "set one: drills are recorded in the folder of the backups, or in the file named",
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
    if parsed.notify:
        announce_absent(judged, settings)
    return 1 if any(each.problem for each in judged) else 0


def summed(judged: Sequence[Series]) -> str:
    """The problems of all series in a line, each with its name where there are several."""
    several = len(judged) > 1
    return "; ".join(
        f"{each.title}: {each.what}" if several else each.what for each in judged if each.problem
    )


def lines_of(judged: Sequence[Series], path: Path, now: datetime) -> list[str]:
    """What people read: each series with its drills, and the problems at the end."""
    if len(judged) == 1:
        return [*drill_lines(judged[0].drills, now), *problem_lines(judged, path)]
    lines = []
    for each in judged:
        lines.append(f"Series {each.title}: {f'PROBLEM: {each.what}' if each.problem else 'OK'}")
        lines += [f"  {line}" for line in drill_lines(each.drills, now)]
    return [*lines, *problem_lines(judged, path)]


def problem_lines(judged: Sequence[Series], path: Path) -> list[str]:
    """The problems with what to do about them, or that there is none.

    The outcome of a drill comes before one that was not run.
    """
    causes = [each.problem.cause for each in judged if each.problem]
    if not causes:
        return ["OK: every series has passed its last drill" if judged[1:] else "OK"]
    cause = min(causes, key=URGENT.index)
    remedy = remedy_for("status", cause)
    if judged[1:]:
        remedy += remedy_for("series", "retired", path=path)
    return message(f"PROBLEM: {summed(judged)}", [str(path)], remedy).splitlines()


def drill_lines(drills: Sequence[Drill], now: datetime) -> list[str]:
    """The last drills, newest first, and what became of all of them."""
    lines = [line_of(drill) for drill in reversed(drills[-SHOWN:])]
    passes = [drill for drill in drills if drill.has_passed]
    if drills:
        kinds = Counter(in_words(drill.verdict) for drill in drills)
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        share = f"{len(passes) / len(drills):.0%}"
        lines.append(f"{show_count(len(drills), 'drill')} recorded: {counts} ({share} passed)")
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
    """The same for machines: `ok`, `problem`, `last_passed_at`, and the drills, oldest first.

    `last_passed_at` is that of the series that passed longest ago, null where one never did.
    """
    bad = [each for each in judged if each.problem]
    series = [
        {
            "name": each.name,
            "ok": not each.problem,
            "problem": each.what,
            "last_passed_at": last_pass(each.drills),
        }
        for each in judged
    ]
    passes = [last_pass(each.drills) for each in judged]
    return {
        "schema": 1,
        "ok": not bad,
        "problem": summed(judged),
        "last_passed_at": None if None in passes else min(filter(None, passes)),
        "series": series,
        "drills": [drill.as_json() for drill in drills],
    }


def last_pass(drills: Sequence[Drill]) -> str | None:
    """When the last of `drills` that passed began."""
    return next((each.at.isoformat() for each in reversed(drills) if each.has_passed), None)

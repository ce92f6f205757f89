"""What people read from `restore-drill status`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from restore_drill.config.remote import histories
from restore_drill.core.errors import message
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_count, show_duration, show_time
from restore_drill.watch.history import Drill
from restore_drill.watch.judgement import MANY, Series, in_words, seconds_since
from restore_drill.watch.look import Look, titles_of
from restore_drill.watch.status_json import is_retired, summed
from restore_drill.watch.usual import trend_lines
from restore_drill.watch.verify import Chain, chain_at

SHOWN = 10
URGENT = ("failed", "lost", "skipped", "unsteady", "not_run")
"""Causes of a problem, that which counts most first."""


def lines_of(looks: Sequence[Look], now: datetime) -> list[str]:
    """Each series with its drills, and the problems at the end."""
    found = titles_of(looks)
    lines = []
    for _, each, title in found:
        if found[1:]:
            lines.append(f"Series {title}: {state_of(each)}")
        lines += [("  " if found[1:] else "") + line for line in series_lines(each, now)]
    for look in looks:
        if look.kept:
            lines.append(f"Backups: {look.kept.line}")
        if look.history.damaged:
            damaged = show_count(look.history.damaged, "line")
            lines.append(
                f"! {damaged} of {look.history.name} ignored: incomplete, changed or dated in the "
                "future"
            )
    return [*lines, *problem_lines(looks)]


def state_of(series: Series) -> str:
    """`OK`, `OK, skipped`, `PROBLEM: ...`, `retired`."""
    if series.problem:
        return f"PROBLEM: {series.what}"
    if is_retired(series):
        return "retired"
    return "OK, skipped" if series.skip else "OK"


def problem_lines(looks: Sequence[Look]) -> list[str]:
    """The problems with what to do about them, or that there is none.

    The outcome of a drill comes before one that was not run.
    """
    found = [each for _, each, _ in titles_of(looks)]
    causes = [each.problem.cause for each in found if each.problem]
    if not causes:
        is_all = found[1:] and not any(each.skip for each in found)
        return ["OK: the last drill of every series passed" if is_all else "OK"]
    remedy = remedy_for("status", min(causes, key=URGENT.index))
    if found[1:]:
        remedy += remedy_for("series", "retired")
    checked = [look.history.name for look in looks]
    checked += [f"report: {report}" for each in found if (report := report_of(each))]
    return message(f"PROBLEM: {summed(looks)}", checked, remedy).splitlines()


def report_of(series: Series) -> str | None:
    """Folder of the reports of the last drill, where that is what is wrong.

    None where it is not here: that of a drill of a fleet is gone, and its reports lie with others.
    """
    is_failed = series.problem is not None and series.problem.cause == "failed"
    folder = series.drills[-1].report if is_failed else None
    return folder if folder and os.path.isdir(folder) else None  # noqa: PTH112 - raises nothing


def series_lines(series: Series, now: datetime) -> Iterator[str]:
    """The last drills, newest first, and what became of all of them."""
    drills = series.drills
    yield from (line_of(drill) for drill in reversed(drills[-SHOWN:]))
    if series.skip:
        yield f"! {series.skip.words[:1].upper()}{series.skip.words[1:]}"
    if drills:
        kinds = Counter(in_words(drill.verdict) for drill in drills)
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        share = sum(drill.has_passed for drill in drills) / len(drills)
        recent = f", {series.share:.0%} of the last {MANY}" if len(drills) > MANY else ""
        yield f"{show_count(len(drills), 'drill')} recorded: {counts} ({share:.0%} passed{recent})"
    if last := series.last_pass:
        age = show_duration(seconds_since(last, now))
        yield f"Last pass: {age} ago, of {last.backup}"
    yield from trend_lines([drill for drill in drills if drill.has_passed])


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


def chain_lines(paths: Sequence[Path], wanted: str) -> tuple[list[str], bool]:
    """What --verify finds in each history, and whether all of them are whole.

    The one that there is must hold an entry with the hash `wanted`, if that is not empty.
    """
    lines: list[str] = []
    is_whole, is_known = True, not wanted
    for path in paths:
        chain = chain_at(path)
        lines += of_chain(chain, path)
        is_whole = is_whole and chain.entries > 0 and not chain.faults
        is_known = is_known or wanted in chain.hashes
    if not is_known:
        lines.append(f"PROBLEM: no entry has the hash {wanted}: the end was removed, or changed")
    return lines, is_whole and is_known


def of_chain(chain: Chain, path: Path) -> Iterator[str]:
    """What was found in one history."""
    name = as_written(path)
    for number in chain.torn:
        yield f"! Line {number} of {name} is incomplete: a drill was killed, or its disk was full"
    if chain.unproved and chain.entries:
        old = show_count(chain.unproved, "line")
        yield f"{old} of {name} from before there were hashes: covered only as a whole"
    if chain.faults:
        checked = [
            f"{chain.unit} {line}{'' if what.startswith('was ') else ':'} {what}"
            for line, what in chain.faults
        ]
        remedy = of_a_change(path)
        what = f"PROBLEM: {name} has been changed since it was written"
        yield from message(what, checked, remedy).splitlines()
        return
    if not chain.entries:
        yield f"PROBLEM: {name} has no entry with a hash: nothing in it can be verified"
        return
    last = f"; the last one, number {chain.last.number}, is {chain.last.hash}" if chain.last else ""
    entries = show_count(chain.entries, "entry", "entries")
    yield f"OK: {entries} of {name} are unchanged and in order{last}"


def of_a_change(path: Path) -> list[str]:
    """What to do about a history that was changed."""
    if path in histories:
        return remedy_for("history", "changed_there", url=as_written(path))
    return remedy_for("history", "changed", folder=path.parent, path=path)

"""What a page shows of a series: texts and charts, nothing of HTML around them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from restore_drill.core.units import show_bytes, show_count, show_duration, show_time
from restore_drill.watch.history import Drill
from restore_drill.watch.judgement import MANY, Rules, Series, in_words, seconds_since
from restore_drill.watch.site.drawn import calendar_of, charts_of, tiles_of
from restore_drill.watch.status_json import is_retired
from restore_drill.watch.usual import TIMES, alike, breaks_at, growth_words

CHARTED = 200
"""So many of the last drills are drawn."""
LISTED = 20
"""So many of the last drills are listed at once; older ones are folded away."""
FINDINGS = 5


def view_of(
    series: Series, title: str, rules: Rules, now: datetime, folder: Path
) -> dict[str, Any]:
    """Everything that the page of `series`, which is to lie in `folder`, shows."""
    drills = series.drills
    state = state_of(series)
    return {
        "title": title,
        "slug": slug_of(title),
        "state": state,
        "word": {"good": "in order", "bad": "problem", "note": "skipped"}[state],
        "problem": series.what,
        "skip": series.skip.words if series.skip else "",
        "badge": badge_text(series),
        "last_pass": pass_text(series, now),
        "due": due_text(series, rules, now),
        "share": ""
        if series.share is None
        else f"{series.share:.0%} of the last {show_count(min(len(drills), MANY), 'drill')} passed",
        "tiles": tiles_of(series, rules, now),
        "calendar": calendar_of(series, rules, now),
        "charts": charts_of(drills[-CHARTED:]),
        "growth": growth_of(series),
        "findings": findings_of(drills, folder),
        "rows": [row_of(drill, folder) for drill in reversed(drills)],
        "listed": LISTED,
        "about": about(drills),
    }


def state_of(series: Series) -> str:
    """`bad`, `note` where it is skipped or retired, `good`."""
    if series.problem:
        return "bad"
    return "note" if series.skip else "good"


SLUG_END = re.compile(r"-[0-9a-f]{6}$")
"""How the name of each file of a series ends."""


def slug_of(title: str) -> str:
    """Name for files: the words of `title`, and enough of its hash to be the only one."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-")
    written = title.encode(errors="backslashreplace")  # a file's name need not be text
    return f"{words or 'series'}-{hashlib.sha256(written).hexdigest()[:6]}"


def badge_text(series: Series) -> str:
    """`passed 2026-11-27`: a badge is looked at later than it was made."""
    if is_retired(series):
        return "retired"
    if series.problem:
        return {"failed": "red", "lost": "red", "unsteady": "unsteady"}.get(
            series.problem.cause, "overdue"
        )
    if series.skip:
        return f"skipped until {series.skip.until}"
    return f"passed {series.last_pass.at:%Y-%m-%d}" if series.last_pass else "no drill yet"


def pass_text(series: Series, now: datetime) -> str:
    """When the last drill passed."""
    last = series.last_pass
    if not last:
        return "never"
    return f"{show_duration(seconds_since(last, now))} ago ({show_time(last.at)})"


def due_text(series: Series, rules: Rules, now: datetime) -> str:
    """Until when the next drill must have passed: a page is looked at later than it was made."""
    if not series.last_pass or is_retired(series):
        return ""
    due = series.last_pass.at + timedelta(seconds=rules.limit)
    return f"{'was due by' if due < now else 'due by'} {show_time(due)}"


def growth_of(series: Series) -> list[str]:
    """Which budgets will be reached when."""
    passes = [drill for drill in series.drills if drill.has_passed]
    same = alike(passes, passes[-1]) if passes else []
    found = []
    for name in TIMES:
        budget = same[-1].budgets.get(name) if same else None
        if budget and (when := breaks_at(same, name, budget)):
            found.append(growth_words(name, budget, when))
    return found


def findings_of(drills: Sequence[Drill], folder: Path) -> list[dict[str, Any]]:
    """The last drills that did not pass, with what they found, newest first."""
    bad = [drill for drill in reversed(drills) if not drill.has_passed][:FINDINGS]
    return [row_of(drill, folder) | {"findings": drill.findings or drill.red} for drill in bad]


def row_of(drill: Drill, folder: Path) -> dict[str, Any]:
    """One drill in a table; its report is linked where it lies on this machine."""
    return {
        "at": show_time(drill.at),
        "verdict": drill.verdict,
        "word": in_words(drill.verdict) + (f" ({drill.strength})" if drill.strength else ""),
        "backup": drill.backup or "none",
        "size": "" if drill.size is None else show_bytes(drill.size),
        "rows": "" if drill.rows is None else f"{drill.rows:,}",
        "restore": "" if drill.restore is None else show_duration(drill.restore),
        "total": "" if drill.total is None else show_duration(drill.total),
        "report": report_link(drill, folder),
    }


def report_link(drill: Drill, folder: Path) -> str:
    """Link from a page in `folder` to the drill's report; empty where it is not here."""
    path = Path(drill.report, "report.html") if drill.report else None
    if path is None or not os.path.isfile(path):  # noqa: PTH113 - raises nothing
        return ""
    return quote(Path(os.path.relpath(path, folder)).as_posix())


def about(drills: Sequence[Drill]) -> str:
    """What is drilled, where, and with which versions, as the last drill has it."""
    if not drills:
        return ""
    last = drills[-1]
    versions = ", ".join(f"{name} {version}" for name, version in last.versions.items())
    parts = (last.database and f"database {last.database}", last.machine, last.setup, versions)
    return "; ".join(filter(None, parts))

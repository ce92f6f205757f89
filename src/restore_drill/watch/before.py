"""What became of the drill before: a pass after a red one is a recovery."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from restore_drill.results.result import Result
from restore_drill.watch.entry import series_in
from restore_drill.watch.history import Drill, drills_of, load_history


def verdict_before(path: Path, result: Result) -> str:
    """Verdict of the drill before that of `result` in its series, by the history at `path`.

    Empty where there is none. Raises CouldNotRun where the history cannot be read.
    """
    backup = result["backup"] or {}
    series = series_in(backup)
    if series is None:
        return ""
    began = datetime.fromisoformat(result["started_at"])
    if backup.get("picked"):  # what became of another backup says nothing of this one
        drills = drills_of_one(path, series, backup["name"])
    else:
        drills = drills_of(path, series)
    earlier = [drill for drill in drills if drill.at < began]
    return earlier[-1].verdict if earlier else ""


def drills_of_one(path: Path, series: str, name: str) -> list[Drill]:
    """Drills of the one backup `name` of `series`, oldest first; CouldNotRun as `load_history`."""
    history = load_history(path)
    found = (each for each in (*history.drills, *history.picks) if each.backup == name)
    return sorted((each for each in found if each.series == series), key=lambda each: each.at)

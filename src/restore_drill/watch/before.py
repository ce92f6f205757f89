"""What became of the drill before: a pass after a red one is a recovery."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from restore_drill.results.result import Result
from restore_drill.selection.series import series_of
from restore_drill.watch.history import by_series, read_history


def verdict_before(path: Path, result: Result) -> str:
    """Verdict of the drill before that of `result` in its series, by the history at `path`.

    Empty where there is none. Raises CouldNotRun where the history cannot be read.
    """
    backup = (result["backup"] or {}).get("path")
    if not backup:
        return ""
    began = datetime.fromisoformat(result["started_at"])
    drills = by_series(read_history(path)).get(series_of(Path(backup)), [])
    earlier = [drill for drill in drills if drill.at < began]
    return earlier[-1].verdict if earlier else ""

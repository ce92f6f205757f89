"""What became of the drill before: a pass after a red one is a recovery."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from restore_drill.results.result import Result
from restore_drill.watch.history import drills_of


def verdict_before(path: Path, result: Result) -> str:
    """Verdict of the drill before that of `result` in its series, by the history at `path`.

    Empty where there is none. Raises CouldNotRun where the history cannot be read.
    """
    backup = (result["backup"] or {}).get("path")
    if not backup:
        return ""
    began = datetime.fromisoformat(result["started_at"])
    earlier = [drill for drill in drills_of(path, Path(backup)) if drill.at < began]
    return earlier[-1].verdict if earlier else ""

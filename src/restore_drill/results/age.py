"""How old the data is that a drill has restored: that of a dump is as old as its file.

A base backup may be a week old, and the WAL that was replayed onto it a minute.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from restore_drill.config.recovery import LATEST


def data_age(result: dict[str, Any]) -> float | None:
    """Seconds between the newest transaction in the restored database and the drill.

    Of a dump, and of a recovery that was not to end with the newest WAL, it is the backup's age.
    """
    backup, recovery = result["backup"] or {}, result.get("recovery") or {}
    age, last = backup.get("age_seconds"), (recovery.get("last_in") or {}).get("at")
    if age is None or not last or recovery["goal"] != LATEST:
        return age
    newer = datetime.fromisoformat(last) - datetime.fromisoformat(backup["taken_at"])
    return float(round(max(0.0, age - max(0.0, newer.total_seconds())), 1))

"""Whether what Redis holds is on disk: the last save, the AOF, and what a crash would cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from restore_drill.core.units import show_count, show_duration

LONG = 26 * 3600.0
"""Seconds since the last save from which on unsaved changes are pointed out."""


@dataclass(frozen=True)
class Persistence:
    """What INFO says of it; None where that server does not say it.

    `save_age` in seconds; `saves` since it was started, `changes` since the last save. `aof` is
    whether each change goes to its append-only file.
    """

    save_ok: bool | None
    save_age: float | None
    saves: int | None
    changes: int | None
    aof: bool
    aof_ok: bool | None
    rewrite_ok: bool | None

    @property
    def words(self) -> str:
        """In words: `last save 3 min ago (12 changes since), AOF on`."""
        age = "unknown" if self.save_age is None else f"{show_duration(self.save_age)} ago"
        save = "no save since it was started" if self.saves == 0 else f"last save {age}"
        changes = "" if self.changes is None else f" ({show_count(self.changes, 'change')} since)"
        return f"{save}{changes}, AOF {'on' if self.aof else 'off'}"

    def fault(self, max_age: float | None) -> str:
        """What keeps its keys from surviving a crash; empty where nothing does.

        Without `max_age` (seconds) it may never save, as a cache does.
        """
        if self.aof and self.aof_ok is False:
            return "could not write to its append-only file (aof_last_write_status)"
        if self.save_ok is False:
            return "could not save its keys to disk the last time (rdb_last_bgsave_status)"
        if max_age is None or not self.at_risk or (self.save_age or 0) <= max_age:
            return ""
        return f"has not saved {self.unsaved}; the limit is {show_duration(max_age)}"

    @property
    def warning(self) -> str:
        """What is to be known of it, and fails only by a limit that the user sets; mostly empty."""
        if self.aof and self.rewrite_ok is False:
            return "could not rewrite its append-only file, which grows (aof_last_bgrewrite_status)"
        if self.at_risk and (self.save_age or 0) > LONG:
            return f"has not saved {self.unsaved}; a limit: max_save_age under [redis]"
        return ""

    @property
    def at_risk(self) -> bool:
        """Whether changes are in memory alone: none of them is where an AOF is written."""
        return not self.aof and bool(self.changes)

    @property
    def unsaved(self) -> str:
        """Since when, and what a crash would lose."""
        age = show_duration(self.save_age or 0)
        return f"for {age}: a crash would lose {show_count(self.changes or 0, 'change')}"


def persistence_of(info: Mapping[str, Any]) -> Persistence | None:
    """Read from INFO; None where that says nothing of it."""
    if "rdb_last_save_time" not in info:
        return None
    now = info.get("server_time_usec", time.time() * 1e6) / 1e6

    def is_ok(key: str) -> bool | None:
        return info[key] == "ok" if key in info else None

    return Persistence(
        save_ok=is_ok("rdb_last_bgsave_status"),
        save_age=max(now - info["rdb_last_save_time"], 0.0),
        saves=info.get("rdb_saves"),
        changes=info.get("rdb_changes_since_last_save"),
        aof=bool(info.get("aof_enabled")),
        aof_ok=is_ok("aof_last_write_status"),
        rewrite_ok=is_ok("aof_last_bgrewrite_status"),
    )

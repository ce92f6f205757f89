"""Replicas of a primary, and how far each is behind; a replica's link to its primary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from restore_drill.core.units import show_bytes, show_count, show_duration


@dataclass(frozen=True)
class Replica:
    """One replica, as its primary sees it: `lag` in seconds since it reported, `behind` in bytes.

    `state` is `online` where it follows; else it is still fetching all keys.
    """

    where: str
    state: str
    lag: int | None
    behind: int | None

    @property
    def words(self) -> str:
        """In words: `10.0.0.2:6379 is 3 s and 1.2 MB behind`."""
        if self.state != "online":
            return f"{self.where} is not in sync yet (state {self.state})"
        behind = "" if self.behind is None else f" and {show_bytes(self.behind)}"
        return f"{self.where} is {'?' if self.lag is None else self.lag} s{behind} behind"


def replicas_of(info: Mapping[str, Any]) -> tuple[Replica, ...]:
    """Read from INFO."""
    sent = info.get("master_repl_offset")
    found = [info[key] for key in info if re.fullmatch(r"slave\d+", key)]
    return tuple(
        Replica(
            where=f"{each.get('ip')}:{each.get('port')}",
            state=str(each.get("state", "online")),
            lag=each.get("lag"),
            behind=None if sent is None or "offset" not in each else max(sent - each["offset"], 0),
        )
        for each in found
        if isinstance(each, dict)
    )


def replicas_fault(replicas: tuple[Replica, ...], max_lag: float, least: int) -> str:
    """Why a failover now would lose writes, or find no replica; empty where it would not.

    `max_lag` in seconds, `least` replicas must follow within it.
    """
    behind = [each for each in replicas if each.state != "online" or (each.lag or 0) > max_lag]
    if behind:
        words = ", ".join(each.words for each in behind)
        return f"{words}; the limit is {show_duration(max_lag)}"
    if len(replicas) < least:
        return f"it has {show_count(len(replicas), 'replica')}, at least {least} are required"
    return ""


def link_of(info: Mapping[str, Any]) -> str:
    """What is wrong with a replica's link to its primary; empty for nothing, or for no replica."""
    if info.get("master_link_status") != "down":
        return ""
    seconds = info.get("master_link_down_since_seconds", -1)
    since = f" for {show_duration(seconds)}" if seconds >= 0 else ""
    return f"its link to it has been down{since}" if since else "its link to it is down"

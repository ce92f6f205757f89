"""What the page shows of a recovery: where it ended, the proof, what its time went into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from restore_drill.core.units import show_bytes, show_count, show_duration, show_moment
from restore_drill.results.live_cards import Pairs, lines_pair

LATEST = "latest"
REACHED = {True: "reached, by the server's own log", False: "not reached"}


def recovery_card(recovery: Mapping[str, Any] | None) -> Pairs:
    """Label and text of what is known of a recovery; nothing for a dump."""
    if not recovery:
        return []
    return [
        ("target", f"{recovery['goal']}: {REACHED[recovery['reached']]}"),
        ("last transaction in it", side_of(recovery["last_in"])),
        *([("first one not in it", side_of(out))] if (out := recovery["first_out"]) else []),
        ("ended at", place_of(recovery)),
        ("system identifier", recovery["system_identifier"] or "not known"),
        ("WAL from the archive", show_count(recovery["fetched"], "file")),
        ("database of the criteria", recovery["database"]),
        *lines_pair("databases", sorted(recovery["databases"])),
        *lines_pair("time", list(time_lines(recovery))),
    ]


def ended_of(recovery: Mapping[str, Any] | None) -> str:
    """Where a recovery to a point in time ended, in a sentence; empty for the newest WAL."""
    if not recovery or recovery["goal"] == LATEST:
        return ""
    last = recovery["last_in"]
    newest = f"; the last transaction in it: {side_of(last)}" if last else ""
    return f"Recovery to {recovery['goal']} ended at {place_of(recovery)}{newest}"


def side_of(side: Mapping[str, Any] | None) -> str:
    """`transaction 800, 2026-11-27 23:36:49.020000 UTC`."""
    if not side:
        return "none since the backup began"
    at = show_moment(datetime.fromisoformat(side["at"])) if side["at"] else "at a time not known"
    return f"transaction {side['xid']}, {at}" if side["xid"] else at


def place_of(recovery: Mapping[str, Any]) -> str:
    """`0/1E0000B0 on timeline 1`."""
    where, timeline = recovery["end_lsn"], recovery["timeline"]
    return f"{where or 'a place not known'}" + (f" on timeline {timeline}" if timeline else "")


def time_lines(recovery: Mapping[str, Any]) -> Iterator[str]:
    """`copy: 3 s, 285 MB (95 MB/s)` for each part."""
    for part in recovery["parts"]:
        line = f"{part['name']}: {show_duration(part['seconds'])}"
        if part["bytes"]:
            line += f", {show_bytes(part['bytes'])}"
            if part["seconds"] >= 0.05:
                line += f" ({show_bytes(int(part['bytes'] / part['seconds']))}/s)"
        yield line

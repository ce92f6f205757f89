"""What a recovery came to: what speaks against it, by what the criteria ask; its record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from restore_drill.backups.physical.model import Physical, show_lsn
from restore_drill.core.units import show_duration, show_time
from restore_drill.recovery.model import Recovered, Side
from restore_drill.selection.chosen import AHEAD

TARGET, WAL, SERVER, DATABASES = "target", "wal", "server", "databases"
ASKED_BY = {
    "gap": WAL,
    "wal_damaged": WAL,
    "archive_empty": WAL,
    "foreign": SERVER,
    "damaged": DATABASES,
}
"""Which of the four a fault is about, by its cause; all others are about the target."""


class Fault(NamedTuple):
    """What speaks against a recovery: the first thing, the cause of its remedy, and the others."""

    what: str
    cause: str
    others: tuple[str, ...]


def fault_of(recovered: Recovered, about: str) -> Fault | None:
    """What speaks against `recovered` in what is asked `about`; None where nothing does."""
    found = [each for each in recovered.faults if ASKED_BY.get(each[1], TARGET) == about]
    if not found:
        return None
    return Fault(*found[0], tuple(what for what, _ in found[1:]))


def recovery_point(recovered: Recovered, physical: Physical) -> tuple[datetime | None, str]:
    """Time of the newest transaction that is in the copy, or of the backup; and its words.

    Where nothing proves when the backup ended (it has no manifest), it is as old as its begin.
    """
    last, ended = recovered.evidence.last_in, physical.stopped_at
    known = ended or physical.started_at
    if last is not None and last.at is not None and (known is None or last.at >= known):
        return last.at, f"the newest transaction in it ended {show_time(last.at)}"
    how = "ended" if ended or known is None else "began"
    return known, f"it holds no newer transaction than the backup, which {how} {shown(known)}"


def shown(when: datetime | None) -> str:
    """`when` in words."""
    return show_time(when) if when else "at a time that is not known"


def why_too_old(recovered: Recovered, physical: Physical, limit: float) -> tuple[str, str]:
    """Cause by which what can be recovered is older than `limit` (seconds), or from the future.

    Both are empty where it is not.
    """
    when, words = recovery_point(recovered, physical)
    if when is None:
        return "unknown", "nothing says when the newest transaction ended, or the backup"
    age = (datetime.now(UTC) - when).total_seconds()
    if age < -AHEAD:
        return "future", f"{words}, which is {show_duration(-age)} in the future"
    if age > limit:
        return "old", f"{words}, {show_duration(age)} ago; the limit is {show_duration(limit)}"
    return "", ""


def record_of(recovered: Recovered) -> dict[str, Any]:
    """Part `recovery` of result.json."""
    evidence = recovered.evidence
    return {
        "goal": recovered.goal.text,
        "reached": fault_of(recovered, TARGET) is None,
        "last_in": side_of(evidence.last_in),
        "first_out": side_of(evidence.first_out),
        "end_lsn": show_lsn(evidence.end_lsn) if evidence.end_lsn is not None else None,
        "timeline": evidence.timeline,
        "system_identifier": evidence.system,
        "fetched": sum(each.found for each in evidence.asked),
        "parts": [
            {"name": part.name, "seconds": round(part.seconds, 3), "bytes": part.bytes}
            for part in recovered.parts
        ],
        "databases": recovered.databases,
        "database": recovered.database,
    }


def side_of(side: Side | None) -> dict[str, Any] | None:
    """One side of the boundary in JSON."""
    return {"xid": side.xid, "at": side.at} if side else None

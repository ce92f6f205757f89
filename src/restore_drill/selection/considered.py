"""Every backup that was there when one was chosen, and why the others were not: for the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restore_drill.backups.choice import Considered
from restore_drill.backups.model import Backup
from restore_drill.selection.candidate import Candidate, Series
from restore_drill.selection.listing import newest_first

MOST_CONSIDERED = 100
"""So many of them, the newest, stand in result.json."""
OLDER = "an older backup of the same series"
NEWER = "a newer backup of the same series: an older one was picked"
"""Why one is not drilled that lies in the series of the one that is."""


def considered(
    all_series: Sequence[Series],
    chosen: Candidate,
    pool: Sequence[Series],
    pattern: str,
) -> tuple[Considered, ...]:
    """What lies in `all_series`, newest first: `chosen` is drilled.

    With a `pattern` the names of series that are not in the `pool` do not match it.
    """
    found = [each for series in all_series for each in series]
    names = {series[0].series for series in pool}

    def why_not(each: Candidate) -> str:
        if each is chosen:
            return ""
        if each.why_not:
            return f"not a backup: {each.why_not}"
        if pattern and each.series not in names:
            return f"its name does not match the pattern {pattern!r}"
        if each.series != chosen.series:
            return f"of another series: {each.series}"
        return OLDER if each.order < chosen.order else NEWER

    return tuple(
        Considered(each.label, each.kind.format, each.size, each.taken_at, why_not(each))
        for each in newest_first(found)
    )


def considered_record(backup: Backup) -> dict[str, Any]:
    """Part `candidates` of result.json: how many there were, and the newest of them."""
    newest = [
        {
            "name": each.name,
            "format": each.format or None,
            "bytes": each.size,
            "taken_at": each.taken_at,
            "chosen": not each.why_not,
            "why_not": each.why_not or None,
        }
        for each in backup.considered[:MOST_CONSIDERED]
    ]
    return {"total": len(backup.considered), "newest": newest}

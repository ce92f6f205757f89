"""Every backup that was there when one was chosen, and why the others were not: for the record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from restore_drill.backups.choice import Considered
from restore_drill.backups.model import Backup
from restore_drill.selection.candidate import Candidate

MOST_CONSIDERED = 100
"""So many of them, the newest, stand in result.json."""
OLDER = "an older backup of the same series"
"""Why one is not drilled that lies in the series of the one that is."""


def considered(
    found: Sequence[Candidate],
    chosen: Candidate,
    alike: Collection[Candidate],
    unwanted: Collection[Candidate],
    pattern: str,
) -> tuple[Considered, ...]:
    """What was `found`, newest first: `chosen` is drilled, those `alike` are of its series.

    The names of those `unwanted` do not match `pattern`.
    """

    def why_not(each: Candidate) -> str:
        if each is chosen:
            return ""
        if each.why_not:
            return f"not a backup: {each.why_not}"
        if each in unwanted:
            return f"its name does not match the pattern {pattern!r}"
        return OLDER if each in alike else "of another series"

    return tuple(
        Considered(each.path.name, each.kind.format, each.size, each.taken_at, why_not(each))
        for each in sorted(found, key=lambda each: each.order, reverse=True)
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

"""Series that differ by a number or a commit alone: of databases, or backups that are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from restore_drill.core.units import some
from restore_drill.selection.groups import MOST_NAMED
from restore_drill.selection.series import without_numbers


def differ_by_number(names: Sequence[str]) -> list[str]:
    """Those of the series `names` that differ from another one by a number or commit alone."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for each in names:
        alike[without_numbers(each)].append(each)
    return [each for those in alike.values() if len(those) > 1 for each in those]


def numbered_hint(alike: Sequence[str]) -> str:
    """What to do where the series `alike` are backups of one database."""
    return (
        f"A number or commit alone tells {some(alike, MOST_NAMED)} apart: where it counts the "
        "backups of one database, add a line under [backup] in the criteria file: numbered = true"
    )

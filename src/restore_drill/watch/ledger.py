"""What drills have shown of each backup, by name and stamp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter

from restore_drill.backups.mark import stamp_of
from restore_drill.backups.physical.model import SHARED
from restore_drill.core.printable import printable
from restore_drill.selection.candidate import Candidate
from restore_drill.watch.history import Drill

JUDGED = ("passed", "failed")
"""Verdicts of drills that have shown something of their backup."""
Called = tuple[str | None, str | None]
"""Series and label of a backup, as a history has them."""


class Ledger:
    """What drills have shown of each backup, by series and label.

    An entry of before labels were noted has the file's name: that is the backup where it says when.
    """

    def __init__(self, drills: Iterable[Drill]) -> None:
        """Of `drills`, those of older backups that were picked among them.

        They count as they were written: a clock that is ahead hides no failure.
        """
        self.judged: dict[Called, Drill] = {}
        self.passed: dict[Called, Drill] = {}
        for drill in sorted(drills, key=attrgetter("line")):
            key = shown(drill.series), shown(drill.backup)
            if drill.verdict in JUDGED:
                self.judged[key] = drill
            if drill.has_passed:
                self.passed[key] = drill

    def proved(self, backup: Candidate) -> datetime | None:
        """When a drill has last proved `backup`, since it was taken; None for never."""
        return max((drill.at for drill in drills_of(backup, self.passed)), default=None)

    def proof_of(self, backup: Candidate) -> Drill | None:
        """The last drill that has proved `backup`."""
        return max(drills_of(backup, self.passed), key=attrgetter("line"), default=None)

    def verdict_on(self, backup: Candidate) -> Drill | None:
        """The last drill of `backup` that has passed or failed: any other has shown nothing."""
        return max(drills_of(backup, self.judged), key=attrgetter("line"), default=None)

    def is_failing(self, backup: Candidate) -> bool:
        """Whether the last drill of `backup` that showed anything has failed."""
        last = self.verdict_on(backup)
        return last is not None and last.verdict == "failed"


def drills_of(backup: Candidate, drills: Mapping[Called, Drill]) -> Iterator[Drill]:
    """Those of `drills` that were of `backup`, by name and stamp: names are given again.

    A rotation renames all files each day (`shop.sql.gz.1`), and a file may be overwritten. Time and
    size decide where there is no stamp. A list knows less of a base backup than its drill: it adds
    up no chain, reads no large tar to its end, and knows the compressed size of one that is not
    fetched.
    """
    for drill in (drills.get(key) for key in keys_of(backup)):
        if drill is None:
            continue
        is_same = is_stamped(backup, drill)
        if is_same is None:
            is_same = drill.at >= backup.taken_at and drill.size in (None, backup.size)
        if is_same:
            yield drill


def is_stamped(backup: Candidate, drill: Drill) -> bool | None:
    """Whether the files of `backup` are those of the `drill`; None where one has no stamp."""
    if not drill.stamp or backup.kind.format in SHARED:
        return None
    now = stamp_of(backup.path)
    return now == drill.stamp if now else None


def shown(name: str | None) -> str | None:
    """`name` of a history, as `keys_of` has it: a file's name may hold anything."""
    return name and printable(name)


def keys_of(backup: Candidate) -> Iterator[Called]:
    """What `backup` may be called in a history, as it is `shown`."""
    for series in (printable(backup.series), printable(backup.scheme), None):
        yield series, printable(backup.label)
        if backup.named:
            yield series, printable(backup.path.name)

"""What lies beside the backup that is drilled: other series, what may not be read; or nothing."""

from __future__ import annotations

import shlex
from itertools import count

from restore_drill.backups.choice import NotDrilled
from restore_drill.config.remote import mirror_around
from restore_drill.core.access import cannot_read
from restore_drill.core.calling import DRILL
from restore_drill.core.errors import BackupFault
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_time
from restore_drill.selection.candidate import Candidate, Series
from restore_drill.selection.listing import Listing, newest_first
from restore_drill.selection.sources import Source
from restore_drill.selection.times import NAME_TIME

MOST_LISTED = 10


def pass_over_closed(
    listing: Listing, newest: Candidate | None, *, is_drilled: bool = True
) -> None:
    """Note what may not be read; CouldNotRun where that is to be drilled, and not `newest`."""
    for each in newest_first(listing.closed):
        is_alike = newest is None or (each.scheme == newest.scheme and each.order > newest.order)
        if is_alike and is_drilled:
            raise cannot_read("the backup", each.path)
        listing.passed_over.append(f"{each.label}: {each.kind.unrecognised}")


def not_drilled(series: Series) -> NotDrilled:
    """What of a series that is not drilled is there, and how to drill it."""
    newest = series[0]
    numbers = count()
    label = NAME_TIME.sub(lambda _: "" if next(numbers) else "*", newest.label)
    of = f" of database {newest.database}" if newest.database else ""
    bad = "" if newest.is_backup else f", not a backup: {newest.why_not}"
    what = (
        f"another series of backups: {label}{of} ({show_count(len(series), 'backup')}, "
        f"newest {newest.label} of {show_time(newest.taken_at)}{bad})"
    )
    return NotDrilled(what, f"drill it too: {DRILL} --series {shlex.quote(newest.series)}")


def may_be_gone(series: str) -> NotDrilled:
    """Of `series` no backup is left here; or it never was here, but on another such machine."""
    return NotDrilled(
        f"the series {series}, of which no backup is left here, though the history has several",
        "if it is no longer backed up, retire it; if another machine shares the history, tell them "
        "apart: --machine (DRILL_MACHINE)",
    )


def not_known(why: str) -> NotDrilled:
    """Which series were renewed here is not known, and so not which of them have stopped."""
    return NotDrilled("series that have stopped, or of which no backup is left, if any", why)


def none_left(source: Source, series: str) -> BackupFault:
    """Of `series`, which the history has seen renewed, no backup lies in `source` any more."""
    folder = as_written(source.place)
    return BackupFault(
        f"no backup of the series {series} is left in {folder}; drills have seen some",
        checked=[str(folder)],
        remedy=remedy_for("select", "none_left", series=series),
    )


def no_backups(source: Source, listing: Listing, live: list[Series], pattern: str) -> BackupFault:
    """No backup lies in `source`, or none that is named like `pattern`."""
    folder = as_written(source.place)
    if live:
        names = [each[0].path.name for each in live]
        return BackupFault(
            f"no backup in {folder} matches the pattern {pattern!r} ([backup] name)",
            checked=[str(folder), *names[:MOST_LISTED]],
            remedy=remedy_for("select", "other_names", folder=folder),
        )
    what = source.instead
    if what is not None:
        return BackupFault(
            f"no backups found in {folder}: it is {what.what}",
            checked=[str(folder)],
            remedy=what.remedy_at(source.place),
        )
    deeper = [as_written(path.parent) for below in listing.deeper for path in below.glob("*.*")]
    checked = [str(folder), *(f"{as_written(below)}/" for below in listing.folders[:MOST_LISTED])]
    remedy = remedy_for("select", "deeper", deeper=deeper[0]) if deeper else []
    is_there = mirror_around(source.place) is not None
    steps = remedy_for("select", "empty_place" if is_there else "empty_folder", folder=folder)
    return BackupFault(
        f"no backups found in {folder}",
        checked=[*checked, *listing.passed_over],
        remedy=remedy + steps,
    )

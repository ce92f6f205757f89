"""Which backups drills have proved, by the SHA-256 of what lies there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from restore_drill.config.settings import Settings
from restore_drill.config.values import HISTORY
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.taking.destination import Destination
from restore_drill.taking.inventory import Same
from restore_drill.taking.retention import Owned
from restore_drill.watch.history import Drill, History, history_path, load_history

JUDGED = ("passed", "failed")


def drills_of(place: Destination, settings: Settings) -> list[Drill]:
    """Drills of all histories that there are: the one of these settings, and that of the `place`.

    The oldest first. CouldNotRun where one, or a line of it, cannot be read: what was proved is not
    known then.
    """
    found: list[tuple[datetime, Drill]] = []
    beside = [each / HISTORY for each in place.notes]
    for path in dict.fromkeys(filter(None, (history_path(settings), *beside))):
        history = load_history(path)
        if history.damaged:
            raise damaged_lines(history)
        if path == settings.history and not (history.drills or history.picks):
            raise no_drill_in(history)
        found += in_order(history)
    return [drill for _, drill in sorted(found, key=lambda each: each[0])]


def in_order(history: History) -> Iterator[tuple[datetime, Drill]]:
    """Its drills as they stand in it, with times: a clock that was set back hides no failure."""
    last = datetime.min.replace(tzinfo=UTC)
    for drill in sorted((*history.drills, *history.picks), key=lambda each: each.line):
        last = max(last, drill.at)
        yield last, drill


def proofs_in(drills: Sequence[Drill]) -> dict[str, bool]:
    """SHA-256 of backups that one of `drills` has passed, and whether the last of each has, too."""
    found: dict[str, bool] = {}
    names: dict[str | None, str] = {}
    for drill in drills:
        if drill.has_passed and drill.sha256:
            names[drill.backup] = drill.sha256
            found[drill.sha256] = True
        elif drill.verdict == "failed":
            same = {drill.sha256, names.get(drill.backup)}
            found.update((sha256, False) for sha256 in found.keys() & same)
    return found


def is_drilled(drills: Sequence[Drill], same: Same, owned: Collection[Owned]) -> bool:
    """Whether one of `drills` has judged a backup of these, or an earlier one of their database.

    Older lines of a history say of no database.
    """
    names = {each.name for each in owned} | {each.sha256 for each in owned}
    source = (same.database, same.system)
    return any(
        {drill.backup, drill.sha256} & names or (drill.database, drill.system) == source
        for drill in drills
        if drill.verdict in JUDGED
    )


def unknown(place: Destination) -> str:
    """Why nothing is deleted where no drill is known."""
    return f"no drill of the backups in {place.shown} is known, so none of them is known to be good"


def never_drilled(place: Destination) -> CouldNotRun:
    """Drills may run elsewhere, and have proved the very backup that no rule keeps."""
    return CouldNotRun(
        f"nothing was deleted: {unknown(place)}",
        checked=["the histories of that place and of the folders around it, and DRILL_HISTORY"],
        remedy=remedy_for("backup", "never_drilled"),
    )


def no_drill_in(history: History) -> CouldNotRun:
    """A history that is named, and is empty, may be a wrong path, or on a disk that is missing."""
    return CouldNotRun(
        f"nothing was deleted: the history {history.name} holds no drill, so what has been proved "
        "is not known",
        checked=["DRILL_HISTORY"],
        remedy=remedy_for("backup", "no_drill"),
    )


def damaged_lines(history: History) -> CouldNotRun:
    """One of the lines that tell nothing may be of the newest proved backup."""
    return CouldNotRun(
        f"nothing was deleted: what drills have proved is not known, since "
        f"{show_count(history.damaged, 'line')} of {history.name} cannot be used",
        checked=["they are incomplete, changed, or dated in the future"],
        remedy=remedy_for("backup", "damaged_history"),
    )

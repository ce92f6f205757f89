"""Which backups drills have proved, by the SHA-256 of what lies there."""

from __future__ import annotations

from restore_drill.config.settings import Settings
from restore_drill.config.values import HISTORY
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.taking.destination import Destination
from restore_drill.watch.history import History, history_path, load_history


def proofs_of(place: Destination, settings: Settings) -> dict[str, bool]:
    """SHA-256 of backups that a drill has passed, and whether the last drill of each has, too.

    By all histories that there are: the one of these settings, and that of the `place` itself.
    CouldNotRun where one, or a line of it, cannot be read: what was proved is not known then.
    """
    found: dict[str, bool] = {}
    beside = [each / HISTORY for each in place.notes]
    for path in dict.fromkeys(filter(None, (history_path(settings), *beside))):
        history = load_history(path)
        if history.damaged:
            raise damaged_lines(history)
        if path == settings.history and not (history.drills or history.picks):
            raise no_drill_in(history)
        drills = sorted((*history.drills, *history.picks), key=lambda each: each.at)
        names: dict[str | None, str] = {}
        for drill in drills:
            if drill.has_passed and drill.sha256:
                names[drill.backup] = drill.sha256
                found[drill.sha256] = True
            elif drill.verdict == "failed":
                same = {drill.sha256, names.get(drill.backup)}
                found.update((sha256, False) for sha256 in found.keys() & same)
    return found


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
        checked=["they are incomplete, or dated in the future"],
        remedy=remedy_for("backup", "damaged_history"),
    )

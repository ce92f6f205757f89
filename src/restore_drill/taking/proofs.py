"""Which backups drills have proved, by the SHA-256 of what lies there."""

from __future__ import annotations

from restore_drill.config.settings import Settings
from restore_drill.config.values import HISTORY
from restore_drill.taking.destination import Destination
from restore_drill.watch.history import history_path, load_history


def proofs_of(place: Destination, settings: Settings) -> dict[str, bool]:
    """SHA-256 of backups that a drill has passed, and whether the last drill of each has, too.

    By all histories that there are: the one of these settings, and that of the `place` itself.
    CouldNotRun where one cannot be read: what was proved is not known then.
    """
    found: dict[str, bool] = {}
    beside = [each / HISTORY for each in place.notes]
    for path in dict.fromkeys(filter(None, (history_path(settings), *beside))):
        history = load_history(path)
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

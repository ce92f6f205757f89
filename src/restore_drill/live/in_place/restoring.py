"""A snapshot is restored by command, into a database that is shut for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from restore_drill.backups.model import Backup, Contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.journal import ROLLED_BACK, SHUT
from restore_drill.live.in_place.left import adopt
from restore_drill.live.in_place.place import InPlace
from restore_drill.live.in_place.roll_back import NotRolledBack, roll_back
from restore_drill.live.in_place.safety import BEFORE_ROLLBACK, Snapshot, take_snapshot
from restore_drill.live.in_place.shut import kept_shut
from restore_drill.live.server.deferred import DeferredSignals


def restore_live(
    place: InPlace, path: Path, backup: Backup, contents: Contents, fingerprint: Fingerprint,
    *, keep: bool, note: Callable[[str], None],
) -> str:  # fmt: skip
    """Restore `place` from the snapshot at `path`; `keep` what it holds now.

    It goes on with the journal of a drill, or a rollback, that was stopped; gives the name of the
    snapshot which that drill had reset it behind, where that is another one, or an empty text.
    """
    adopt(place)
    with DeferredSignals() as signals, kept_shut(place) as ended:
        for line in ended:
            note(f"ended: {line}")
        with Hold(place.target, place.lock) as hold:
            hold.stop_writes()
            kept = keep_what_it_holds(place, note) if keep else None
            signals.hold_back()
            was_undecided = place.is_undecided
            place.about_to_reset(hold, path, is_left=was_undecided)
            try:
                roll_back(
                    hold, backup, contents, fingerprint,
                    jobs=place.jobs, opening=place.opening, progress=ignore,
                    keep=partial(keep_again, place, hold, note) if keep else ignore,
                )  # fmt: skip
            except NotRolledBack as error:
                if not (hold.may_be_reset or was_undecided):
                    place.advance(SHUT)
                if kept is None or was_undecided or not hold.may_be_reset:
                    raise
                undo(place, hold, kept, error)
        behind = place.journal.behind if place.journal else ""
        place.decided(ROLLED_BACK)
    return behind if behind != path.name else ""


def keep_what_it_holds(place: InPlace, note: Callable[[str], None]) -> Snapshot:
    """Snapshot of what the database holds before a rollback."""
    kept = take_snapshot(
        place.target, place.folder, name=BEFORE_ROLLBACK, jobs=place.jobs, progress=ignore
    )
    note(f"what the database holds now is kept in {kept.path}")
    return kept


def keep_again(place: InPlace, hold: Hold, note: Callable[[str], None], resets: int) -> None:
    """Keep what the database holds before it is reset once more; before the first it was kept."""
    if resets == 0 or not place.lets_others_in:
        return
    hold.revive()
    hold.stop_writes()
    keep_what_it_holds(place, note)


def undo(place: InPlace, hold: Hold, kept: Snapshot, error: NotRolledBack) -> NoReturn:
    """Take a database that was whole back to `kept`, what it held before a rollback that failed.

    CouldNotRun, with the reasons of `error`, where that succeeds; NotRolledBack where it does not.
    """
    place.about_to_reset(hold, kept.path)
    roll_back(
        hold, kept.backup, kept.contents, kept.fingerprint,
        jobs=place.jobs, opening=place.opening, progress=ignore,
        keep=partial(keep_again, place, hold, ignore),
    )  # fmt: skip
    place.decided(ROLLED_BACK)
    raise CouldNotRun(
        f"{place.target.description} could not be restored from that snapshot, and is as it was "
        "before this command",
        checked=error.reasons,
        remedy=remedy_for("rollback", "undone"),
    )


def ignore(_: object) -> None:
    """Do nothing."""

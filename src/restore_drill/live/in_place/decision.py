"""What becomes of a live database at the end of a drill: it keeps the backup, or goes back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.record import Record
from restore_drill.core.server_errors import error_text
from restore_drill.core.steps import Steps
from restore_drill.core.units import capitalised, show_count
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.journal import KEPT, ROLLED_BACK, SHUT
from restore_drill.live.in_place.loss import lost_by_reset
from restore_drill.live.in_place.noted import note_others, noting_failure
from restore_drill.live.in_place.place import InPlace
from restore_drill.live.in_place.refusals import refuse_change, way_back
from restore_drill.live.in_place.roll_back import roll_back
from restore_drill.live.in_place.safety import BEFORE_ROLLBACK, Snapshot, take_snapshot
from restore_drill.redis.cached import lines_on_cached
from restore_drill.redis.coherence.stale import lines_on_coherence


class Outcome(NamedTuple):
    """What the drill has come to.

    `unproved` lists why the restored copy is not proved, `beside` criteria that failed and do not
    concern it; `after` is what becomes of a proved one: `keep` or `rollback`.
    """

    unproved: Sequence[str]
    beside: Sequence[str]
    after: str


def reset_behind(snapshot: Snapshot, hold: Hold, place: InPlace, noted: dict[str, Any]) -> None:
    """Reset the live database, with a journal on the disk until the verdict is out."""
    place.about_to_reset(hold, snapshot.path)
    try:
        place.watch.refuse_who_came(snapshot.target)
        hold.reset(partial(refuse_change, snapshot.target, snapshot.fingerprint))
    except BaseException:
        if not hold.may_be_reset:
            place.advance(SHUT)
        raise
    noted["live_database"] = "reset, no verdict yet; only the drill may write into it"
    noted["way_back"] = way_back(snapshot.path, snapshot.target.conninfo["dbname"])


def decide(
    snapshot: Snapshot,
    hold: Hold,
    place: InPlace,
    outcome: Outcome,
    jobs: int,
    steps: Steps,
    record: Record,
) -> None:
    """Keep the restored database where the whole drill has proved it, else go back.

    CouldNotRun where it is still shut for others afterwards, NotRolledBack where it is not what it
    was.
    """
    if not place.is_undecided:
        return
    assert record.snapshot is not None
    unproved, beside, after = outcome
    steps.line()
    if unproved or after == "rollback":
        why = "It was proved good, but --after rollback asks for the database as it was before"
        if unproved:
            more = f", and {show_count(len(unproved) - 1, 'more reason')}" if unproved[1:] else ""
            why = f"The restored copy was not proved good: {unproved[0]}{more}"
        roll_back_live(snapshot, hold, place, why, jobs, steps, record)
        if not unproved:
            record.snapshot["live_database"] += ", as --after rollback asks (the copy was proved)"
    else:
        keep(snapshot, place, beside, jobs, steps, record)
    note_others(place, steps, record)
    with noting_failure(steps, record):
        place.decided(ROLLED_BACK if record.snapshot["rolled_back"] else KEPT)


def keep(
    snapshot: Snapshot,
    place: InPlace,
    beside: Sequence[str],
    jobs: int,
    steps: Steps,
    record: Record,
) -> None:
    """Let the database keep the backup, and report what it had and the backup lacks."""
    assert record.snapshot is not None
    record.snapshot["live_database"] = "holds the backup"
    record.warnings += lines_on_cached(record.redis)
    record.warnings += lines_on_coherence(record.coherence)
    steps.ok(f"The live database {place.server.database} keeps the backup")
    if beside:
        steps.warn(f"What failed does not concern it: {', '.join(beside)}")
    with suppress(CouldNotRun, OSError):  # as `decided` does; killed from here on, it stays so
        place.advance(KEPT)
    with record.stage("compare"):
        lost = lost_by_reset(snapshot.fingerprint, place.target, jobs, steps.progress)
    steps.clear_progress()
    record.snapshot["lost"] = lost


def roll_back_live(
    snapshot: Snapshot,
    hold: Hold,
    place: InPlace,
    why: str,
    jobs: int,
    steps: Steps,
    record: Record,
) -> None:
    """Roll the live database back to `snapshot`; NotRolledBack where that did not work."""
    assert record.snapshot is not None
    record.snapshot |= {"rolled_back": False, "live_database": "not rolled back"}
    steps.warn(f"Rolling back {snapshot.target.description} from {snapshot.path.name}")
    steps.note(why)
    with record.stage("rollback"), noting_failure(steps, record):
        roll_back(
            hold, snapshot.backup, snapshot.contents, snapshot.fingerprint,
            jobs=jobs, opening=place.opening, progress=steps.progress,
            keep=lambda _: keep_what_others_wrote(snapshot, hold, place, jobs, steps, record),
        )  # fmt: skip
    steps.clear_progress()
    record.snapshot |= {
        "rolled_back": True,
        "live_database": "as it was before the drill",
        "way_back": None,
    }
    steps.ok("Rolled back; a comparison proves that the database is as it was before the drill")


def keep_what_others_wrote(
    snapshot: Snapshot, hold: Hold, place: InPlace, jobs: int, steps: Steps, record: Record
) -> None:
    """Keep what the database holds where somebody may have come in and written into it.

    Writes wait from then on until the reset that follows.
    """
    if not (place.lets_others_in or place.watch.seen):
        return
    is_warning = bool(place.watch.seen)
    who = (
        "others connected in the meantime"
        if is_warning
        else ("others may have connected unnoticed")
    )
    try:
        hold.revive()
        hold.stop_writes()
        kept = take_snapshot(
            snapshot.target, place.folder, name=BEFORE_ROLLBACK, jobs=jobs, progress=steps.progress
        )
        line = f"{who}: what the database held is kept in {kept.path}"
    except (CouldNotRun, psycopg.Error) as error:
        why = error.what if isinstance(error, CouldNotRun) else error_text(error)
        line, is_warning = f"{who}, and what they may have written is lost: {why}", True
    steps.clear_progress()
    (steps.warn if is_warning else steps.note)(capitalised(line))
    (record.warnings if is_warning else record.notes).append(line)

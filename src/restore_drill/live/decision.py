"""What becomes of a live database at the end of a drill: it keeps the backup, or goes back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.core.units import show_bytes, show_count
from restore_drill.live.hold import Hold
from restore_drill.live.refusals import refuse_change
from restore_drill.live.roll_back import NotRolledBack, roll_back
from restore_drill.live.safety import Snapshot
from restore_drill.live.undecided import mark_decided, mark_undecided, undecided_file


def described(snapshot: Snapshot) -> str:
    """`before-drill-20261123.dump (12 MB)`."""
    return f"{snapshot.path.name} ({show_bytes(snapshot.backup.size)})"


def snapshot_record(snapshot: Snapshot) -> dict[str, Any]:
    """Part `snapshot` of result.json, before anything is done to the live database."""
    return {
        "path": str(snapshot.path),
        "bytes": snapshot.backup.size,
        "sha256": snapshot.contents.sha256,
        "taken_at": snapshot.backup.taken_at.isoformat(),
        "rolled_back": None,
        "live_database": "not touched",
    }


def reset_behind(snapshot: Snapshot, hold: Hold, noted: dict[str, Any]) -> None:
    """Reset the live database, with a file beside its snapshot until the verdict is out."""
    mark_undecided(snapshot.path)
    try:
        hold.reset(partial(refuse_change, snapshot.target, snapshot.fingerprint))
    except BaseException:
        if not hold.may_be_reset:
            mark_decided(snapshot.path)
        raise
    noted["live_database"] = "reset, no verdict yet"


def decide(
    snapshot: Snapshot,
    hold: Hold,
    unproved: Sequence[str],
    beside: Sequence[str],
    jobs: int,
    steps: Steps,
    record: Record,
) -> None:
    """Keep the restored database where the whole drill has proved it, else go back.

    `unproved` says why the copy is not proved; `beside` names criteria that failed and say
    nothing against it.
    """
    if not undecided_file(snapshot.path).exists():
        return
    assert record.snapshot is not None
    if unproved:
        roll_back_live(snapshot, hold, unproved, jobs, steps, record)
        return
    mark_decided(snapshot.path)
    record.snapshot["live_database"] = "holds the backup"
    if beside:
        steps.warn(
            "The live database keeps the backup: what failed does not concern it "
            f"({', '.join(beside)})"
        )


def roll_back_live(
    snapshot: Snapshot,
    hold: Hold,
    unproved: Sequence[str],
    jobs: int,
    steps: Steps,
    record: Record,
) -> None:
    """Roll the live database back to `snapshot`; NotRolledBack where that did not work."""
    assert record.snapshot is not None
    record.snapshot |= {"rolled_back": False, "live_database": "not rolled back"}
    steps.line()
    steps.warn(f"Rolling back {snapshot.target.description} from {snapshot.path.name}")
    more = f", and {show_count(len(unproved) - 1, 'more reason')}" if unproved[1:] else ""
    steps.note(f"The restored copy was not proved good: {unproved[0]}{more}")
    with record.stage("rollback"):
        try:
            roll_back(
                hold, snapshot.backup, snapshot.contents, snapshot.fingerprint,
                jobs=jobs, progress=steps.progress,
            )  # fmt: skip
        except NotRolledBack as error:
            record.snapshot["live_database"] = str(error)
            steps.bad(str(error))
            raise
    steps.clear_progress()
    mark_decided(snapshot.path)
    record.snapshot |= {"rolled_back": True, "live_database": "as it was before the drill"}
    steps.ok("Rolled back; a comparison proves that the database is as it was before the drill")

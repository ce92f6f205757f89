"""What the verdict says of a live database that is reset in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from restore_drill.core.errors import CouldNotRun, message
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.core.units import show_bytes, show_count
from restore_drill.live.in_place.place import InPlace, StillShut
from restore_drill.live.in_place.refusals import Undecided
from restore_drill.live.in_place.roll_back import NotRolledBack
from restore_drill.live.in_place.safety import Snapshot

UNTOUCHED = "not touched"
HALF = "shut for others, and perhaps restored in part; "


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
        "database": snapshot.target.conninfo["dbname"],
        "live_database": UNTOUCHED,
        "way_back": None,
        "lost": None,
    }


def note_others(place: InPlace, steps: Steps, record: Record) -> None:
    """Name the sessions that came into the shut database, and were ended."""
    if not place.watch.seen:
        return
    count = show_count(len(place.watch.seen), "session")
    steps.note(f"{count} of others connected during the drill, and were ended:")
    for line in place.watch.lines:
        steps.note(f"  {line}")
    record.notes.append(f"{count} of others were ended: " + "; ".join(place.watch.lines))


@contextmanager
def noting_failure(steps: Steps, record: Record) -> Iterator[None]:
    """Note why the live database is not what it should be, for its block in the verdict."""
    assert record.snapshot is not None
    try:
        yield
    except CouldNotRun as error:
        before = "" if isinstance(error, NotRolledBack) else record.snapshot["live_database"]
        note_failure(before, error, steps, record.snapshot)
        raise


@contextmanager
def noting_still_shut(steps: Steps, record: Record, database: str) -> Iterator[None]:
    """Note that `database`, which was not touched, stayed shut, for its block in the verdict.

    Also where no snapshot was taken: what is in the record has no path then.
    """
    try:
        yield
    except StillShut as error:
        if record.snapshot is None:
            record.snapshot = {"path": None, "database": database, "live_database": UNTOUCHED}
        if record.snapshot["live_database"] == UNTOUCHED:
            note_failure(UNTOUCHED, error, steps, record.snapshot)
        raise


@contextmanager
def noting_undecided(record: Record, database: str) -> Iterator[None]:
    """Note for the verdict that an earlier drill has left `database` reset and shut."""
    try:
        yield
    except Undecided as error:
        why = message(error.what, (), error.remedy)
        record.snapshot = {"path": None, "database": database, "live_database": HALF + why}
        raise


def note_failure(before: str, error: CouldNotRun, steps: Steps, snapshot: dict[str, Any]) -> None:
    """Note in `snapshot` what the database is `before`, `error` and its steps.

    All that was checked is in the report of the error itself.
    """
    short = message(error.what, (), error.remedy)
    snapshot["live_database"] = f"{before}; {short}" if before else short
    steps.bad(error.what)

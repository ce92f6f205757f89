"""`restore-drill rollback`: back to a safety snapshot, or to what was promoted away."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC
from pathlib import Path
from typing import NoReturn

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import read_contents
from restore_drill.config.settings import settings_here
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.live.in_place.door import for_reset
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.journal import ROLLED_BACK, SHUT
from restore_drill.live.in_place.left import adopt
from restore_drill.live.in_place.place import InPlace
from restore_drill.live.in_place.roll_back import NotRolledBack, roll_back
from restore_drill.live.in_place.safety import BEFORE_ROLLBACK, Snapshot, take_snapshot
from restore_drill.live.in_place.shut import in_place, kept_shut
from restore_drill.live.in_place.snapshots import refuse_changed
from restore_drill.live.in_place.source import Source, read_source
from restore_drill.live.promote.way_back import by_command
from restore_drill.live.server.deferred import DeferredSignals
from restore_drill.live.server.identity import identity_of_server
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.database import conninfo_of, live_target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `restore-drill rollback`."""
    parser.add_argument(
        "snapshot", type=Path, nargs="?", help="the file pre_drill_snapshot_*.dump to restore"
    )
    parser.add_argument(
        "--confirm-reset", metavar="DBNAME", help="the database that the snapshot is restored into"
    )
    parser.add_argument(
        "--confirm",
        metavar="DBNAME",
        help="without a snapshot: swap this database, which was promoted, with what it was before",
    )
    parser.add_argument(
        "--journal",
        metavar="FOLDER",
        type=Path,
        help="folder of the promotion's journal, where it is not that of BACKUP_PATH",
    )
    parser.add_argument(
        "--max-lock-wait", metavar="X", help="how long open transactions are waited for"
    )
    parser.add_argument(
        "--no-snapshot",
        action="store_true",
        help="keep no copy of what the database holds now (where there is no room for one)",
    )


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Take the database in DATABASE_URL back: to a snapshot, or to what was promoted away."""
    if (parsed.snapshot is None) != (parsed.confirm_reset is None) or (
        (parsed.snapshot is None) == (parsed.confirm is None)
    ):
        raise UsageError(
            "give either a snapshot and --confirm-reset DBNAME, or --confirm DBNAME alone, "
            "which swaps a promoted database back"
        )
    if parsed.snapshot is None:
        return by_command(parsed, root, note)
    return restore_snapshot(parsed, root)


def restore_snapshot(parsed: argparse.Namespace, root: Path) -> int:
    """Restore the database in DATABASE_URL from the snapshot that a drill has left."""
    path: Path = parsed.snapshot
    if not path.is_file():
        raise UsageError(f"there is no snapshot {path}")
    given = {name: getattr(parsed, name) for name in ("confirm_reset", "max_lock_wait")}
    settings = settings_here({"target": "database", **given}, root)
    name = conninfo_of(settings.database_url or "")["dbname"]
    if parsed.confirm_reset != name:
        raise UsageError(
            f"--confirm-reset names {parsed.confirm_reset!r}, DATABASE_URL the database {name!r}; "
            "nothing was touched"
        )
    target = live_target(settings, note)
    source = source_of(path)
    if mismatch := source.server.mismatch(identity_of_server(for_reset(target))):
        raise UsageError(
            f"{path.name} does not belong into the database that DATABASE_URL names: {mismatch}; "
            "nothing was touched"
        )
    backup = as_backup(look_at(path, UTC))
    contents = read_contents(backup, path.parent, lambda _: None)
    if contents.faults:
        raise CouldNotRun(
            f"{path.name} is damaged; nothing was touched",
            checked=contents.faults,
            remedy=remedy_for("rollback", "damaged", path=path),
        )
    refuse_changed(path, contents.sha256)
    folder, wait, jobs = path.absolute().parent, settings.max_lock_wait, settings.jobs
    with in_place(target, folder, wait, jobs) as place:
        restore_live(
            place, path.absolute(), backup, contents, source.fingerprint,
            keep=not parsed.no_snapshot, jobs=settings.jobs,
        )  # fmt: skip
    note(
        f"{target.description} was restored from {path.name}: "
        "a comparison proves that it is as it was before the drill"
    )
    return 0


def restore_live(
    place: InPlace, path: Path, backup: Backup, contents: Contents, fingerprint: Fingerprint,
    *, keep: bool, jobs: int,
) -> None:  # fmt: skip
    """Restore `place` from the snapshot at `path`; `keep` what it holds now.

    It goes on with the journal of a drill, or a rollback, that was stopped.
    """
    adopt(place)
    with DeferredSignals() as signals, kept_shut(place) as ended:
        for line in ended:
            note(f"ended: {line}")
        with Hold(place.target, place.lock) as hold:
            hold.stop_writes()
            kept = None
            if keep:
                kept = take_snapshot(
                    place.target, path.parent, name=BEFORE_ROLLBACK, jobs=jobs, progress=ignore
                )
                note(f"what the database holds now was kept in {kept.path}")
            signals.hold_back()
            was_undecided = place.is_undecided
            behind = place.journal.snapshot if place.journal and was_undecided else ""
            place.about_to_reset(hold, path, behind)
            try:
                roll_back(
                    hold, backup, contents, fingerprint,
                    jobs=jobs, opening=place.opening, progress=ignore,
                )  # fmt: skip
            except NotRolledBack as error:
                if not (hold.may_be_reset or was_undecided):
                    place.advance(SHUT)
                if kept is None or was_undecided or not hold.may_be_reset:
                    raise
                undo(place, hold, kept, error, jobs)
        place.decided(ROLLED_BACK)


def undo(place: InPlace, hold: Hold, kept: Snapshot, error: NotRolledBack, jobs: int) -> NoReturn:
    """Take a database that was whole back to `kept`, what it held before a rollback that failed.

    CouldNotRun, with the reasons of `error`, where that succeeds; NotRolledBack where it does not.
    """
    place.about_to_reset(hold, kept.path)
    roll_back(
        hold, kept.backup, kept.contents, kept.fingerprint,
        jobs=jobs, opening=place.opening, progress=ignore,
    )  # fmt: skip
    place.decided(ROLLED_BACK)
    raise CouldNotRun(
        f"{place.target.description} could not be restored from that snapshot, and is as it was "
        "before this command",
        checked=error.reasons,
        remedy=remedy_for("rollback", "undone"),
    )


def source_of(path: Path) -> Source:
    """What lies beside the snapshot at `path`; CouldNotRun where nothing says what it is of."""
    found = read_source(path)
    if found is None:
        raise CouldNotRun(
            f"nothing beside {path.name} says which database of which server it is of, "
            "so nothing was touched",
            checked=[f"{path}.source"],
            remedy=remedy_for("rollback", "no_source", path=path),
        )
    return found


def note(text: str) -> None:
    """One line on standard output."""
    sys.stdout.write(printable(text) + "\n")


def ignore(_text: str) -> None:
    """Show no progress."""

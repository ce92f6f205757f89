"""`restore-drill rollback`: back to a safety snapshot, or to what was promoted away."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import read_contents
from restore_drill.config.settings import settings_here
from restore_drill.core.errors import CouldNotRun, UsageError, message
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.live.in_place.door import for_reset
from restore_drill.live.in_place.mark import mark_on, opening_of
from restore_drill.live.in_place.refusals import way_back
from restore_drill.live.in_place.restoring import restore_live
from restore_drill.live.in_place.shut import in_place
from restore_drill.live.in_place.snapshots import keep_newest, refuse_changed
from restore_drill.live.in_place.source import Source, read_source
from restore_drill.live.promote.nothing_back import called
from restore_drill.live.promote.way_back import by_command
from restore_drill.live.server.identity import ServerIdentity, identity_of_server
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.database import conninfo_of, live_target
from restore_drill.servers.model import Target

OPTIONS = ("confirm_reset", "max_lock_wait", "keep_snapshots")
"""Those that are options of a drill too."""


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
        help="folder of the promotion's journal, if it is not that of BACKUP_PATH",
    )
    parser.add_argument(
        "--max-lock-wait", metavar="X", help="how long to wait for open transactions"
    )
    parser.add_argument(
        "--keep-snapshots", metavar="N", help="how many snapshots of the database to keep"
    )
    parser.add_argument(
        "--no-snapshot",
        action="store_true",
        help="keep no copy of what the database holds now (if there is no room for one)",
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
        raise UsageError(f"there is no snapshot {path}: if it was moved, name it at its new place")
    given = {name: getattr(parsed, name) for name in OPTIONS}
    settings = settings_here({"target": "database", **given}, root)
    name = conninfo_of(settings.database_url or "")["dbname"]
    if parsed.confirm_reset != name:
        raise UsageError(
            f"--confirm-reset names {parsed.confirm_reset!r}, DATABASE_URL the database {name!r}; "
            "nothing was touched"
        )
    target = live_target(settings, note)
    source, backup, contents = proved(path, target)
    folder, wait, jobs = path.absolute().parent, settings.max_lock_wait, settings.jobs
    with in_place(target, folder, wait, jobs) as place:
        behind = restore_live(
            place, path.absolute(), backup, contents, source.fingerprint,
            keep=not parsed.no_snapshot, note=note,
        )  # fmt: skip
        kept = keep_newest(folder, place.server, settings.keep_snapshots, (path.name, behind))
    note(
        f"{target.description} was restored from {path.name}: "
        "a comparison proves that it is as it was when the snapshot was taken"
    )
    if behind:
        command = way_back(folder / behind, name)
        note(f"as it was before the drill that was stopped, it is in {behind}: {command}")
    note(f"{kept.line}: {folder}")
    return 0


def proved(path: Path, target: Target) -> tuple[Source, Backup, Contents]:
    """What lies beside the snapshot at `path`, and the snapshot itself, read to its end.

    UsageError where it is of another database than `target`, CouldNotRun where it is damaged.
    """
    opening = opening_steps(target)
    source = source_of(path, target, opening)
    if mismatch := mismatch_of(source.server, target):
        what = f"{path.name} does not belong to the database that DATABASE_URL names"
        steps = renamed_back(path, source.server, target)
        raise UsageError(message(f"{what}: {mismatch}; nothing was touched", remedy=steps))
    backup = as_backup(look_at(path, UTC))
    contents = read_contents(backup, path.parent, lambda _: None)
    if contents.faults:
        raise CouldNotRun(
            f"{path.name} is damaged; nothing was touched",
            checked=contents.faults,
            remedy=[*remedy_for("rollback", "damaged", path=path), *opening],
        )
    refuse_changed(path, contents.sha256, opening)
    return source, backup, contents


def mismatch_of(server: ServerIdentity, target: Target) -> str:
    """How `target` is not the database `server`, and what that is called now; empty if it is."""
    now = identity_of_server(for_reset(target))
    mismatch = server.mismatch(now)
    if mismatch and server.may_have_been(now):
        with target.connect() as connection:
            mismatch += f" ({called(connection, server.oid)})"
    return mismatch


def renamed_back(path: Path, server: ServerIdentity, target: Target) -> list[str]:
    """What to do where the database `server` has only another name now, that of `target`."""
    now = identity_of_server(for_reset(target))
    if now._replace(database=server.database) != server or now == server:
        return []
    old, rollback = server.database, way_back(path, server.database)
    return remedy_for("rollback", "renamed", now=now.database, name=old, rollback=rollback)


def opening_steps(target: Target) -> list[str]:
    """What opens the live database by hand, where a drill has shut it."""
    mark = mark_on(for_reset(target))
    if mark is None:
        return []
    opening = opening_of(target.conninfo["dbname"], mark.former)
    return remedy_for("rollback", "opened", opening=opening)


def source_of(path: Path, target: Target, opening: Sequence[str]) -> Source:
    """What lies beside the snapshot at `path`; CouldNotRun where nothing says what it is of."""
    found = read_source(path)
    if found is None:
        name = target.conninfo["dbname"]
        by_hand = remedy_for("rollback", "no_source", path=path, name=name)
        raise CouldNotRun(
            f"nothing beside {path.name} says which database of which server it is of, "
            "so nothing was touched",
            checked=[f"{path}.source"],
            remedy=[*by_hand, *opening],
        )
    return found


def note(text: str) -> None:
    """One line on standard output."""
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()  # a log must hold it, whatever becomes of this process

"""What lies directly in a folder: looked at, or passed over with a line on why."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from pathlib import Path

from restore_drill.backups.folders import folder_of_what
from restore_drill.backups.foreign import OF_OTHERS, PLAIN_FOLDER, SIGNATURE, WAL, Foreign
from restore_drill.backups.formats import SUFFIXES
from restore_drill.backups.wraps.members import COMPANIONS
from restore_drill.core.access import closed_in
from restore_drill.core.errors import BackupFault
from restore_drill.selection.candidate import Candidate, closed_candidate, size_of
from restore_drill.selection.links import drop_copies, linked_from
from restore_drill.selection.listing import (
    DUMPS,
    IN_PROGRESS,
    NOT_SUPPORTED,
    Listing,
    Sought,
    Unseen,
    entries_of,
    newest_first,
)
from restore_drill.selection.series import series_of

NOT_YET = IN_PROGRESS + COMPANIONS
LOST_AND_FOUND = "lost+found"
"""Folder that file systems keep at their root, for their administrator alone."""
OURS = "snapshots"
"""Folder of the drill's own safety snapshots, directly in a place."""
SNAPSHOTS = ("pre_drill_snapshot", "pre_rollback_snapshot")
"""How their names begin."""
JOURNAL = ".json"
"""Suffix of a journal beside them."""
PHYSICAL_CAUSES = ("physical", "repository", "running")
"""Of what `folder_of_what` takes for a physical backup; a lock file left over runs nothing."""
SETTLE_SECONDS = 0.2
YOUNG_SECONDS = 60.0
"""Only files written so recently may still be growing, and are measured twice."""


def list_flat(folder: Path, zone: tzinfo, below: int = 0, sought: Sought = DUMPS) -> Listing:
    """What lies directly in `folder`, so many folders `below` the place, newest first."""
    listing = Listing()
    paths = dict.fromkeys(own_paths(folder, listing, zone, below, sought))
    files = [each for each in paths if each not in listing.apart]
    looked: list[Candidate] = []
    for path in (*without_growing(files, listing.passed_over), *listing.repositories):
        try:
            looked.append(sought.look(path, zone, below))
        except OSError as error:
            pass_over(listing, path, f"cannot be read ({error.strerror})", below, sought)
        except BackupFault as error:
            pass_over(listing, path, error.what, below, sought)
    known = {each.series for each in looked if each.is_backup}
    found = [each for each in looked if each.is_backup or counts(each, known, sought)]
    if sought is DUMPS:
        listing.unseen += [
            Unseen(each.label, f"{each.why_not}, or compressed in a way that is not supported")
            for each in looked
            if each not in found and may_be_unsupported(each)
        ]
    drop_copies(listing, found)
    listing.found = newest_first(listing.found)
    return listing


def pass_over(listing: Listing, path: Path, why: str, below: int, sought: Sought) -> None:
    """Note in `listing` that what lies at `path` is none; it is unseen where it may be a backup."""
    listing.passed_over.append(f"{path.name}: {why}")
    if path.is_dir() or path.name.lower().endswith(SUFFIXES):
        is_physical = sought is DUMPS and path.is_dir() and not sought.is_whole(path)
        series = series_of(path, below, is_physical=is_physical)
        listing.unseen.append(Unseen("/".join(path.parts[-1 - below :]), why, series))


def may_be_unsupported(candidate: Candidate) -> bool:
    """Whether what is not a backup may be one of a format or compression that no drill reads."""
    is_other = candidate.kind.unrecognised.startswith(OF_OTHERS)
    return NOT_SUPPORTED.search(candidate.path.name) is not None and not is_other


def counts(candidate: Candidate, known: set[str], sought: Sought) -> bool:
    """Whether what is not a backup must be reported: it is named like one.

    An empty `backup.lock`, `_SUCCESS` or `shop.done` is a marker, and of no interest.
    """
    return (
        sought.claims(candidate.path) or candidate.series in known
    ) and candidate.kind.unrecognised != SIGNATURE.what


def own_paths(
    folder: Path, listing: Listing, zone: tzinfo, below: int, sought: Sought
) -> Iterator[Path]:
    """Files and dumps in `folder`, a link as what it leads to; the rest goes into `listing`."""
    for path in entries_of(folder):
        if closed_in(path):
            if path.name != LOST_AND_FOUND and not path.name.lower().endswith(NOT_YET):
                listing.closed.append(closed_candidate(path, zone, below))
            continue
        target = linked_from(path)
        if target is not None and not target.exists():
            why = f"a link to {target}, which does not exist"
            pass_over(listing, path, why, below, sought)
        elif target is not None and is_listed_in(folder, target):
            if target.is_file() or sought.is_whole(target):
                listing.remarks.append(f"{path.name} is a link to {target.name}, counted once")
        elif target is not None and path.is_symlink() and target.is_relative_to(folder.resolve()):
            yield from settled(path, listing, below, sought)  # called by what its target is called
        else:
            yield from settled(target or path, listing, below, sought)


def is_listed_in(folder: Path, target: Path) -> bool:
    """Whether what a link leads to lies in `folder` itself or below, and is not hidden there."""
    root = folder.resolve()
    inside = target.relative_to(root).parts if target.is_relative_to(root) else (".",)
    return not any(part.startswith(".") for part in inside)


def settled(path: Path, listing: Listing, below: int, sought: Sought) -> list[Path]:
    """`path` where it can be a finished backup by its kind and name; else it goes into `listing`.

    A repository of several servers is a backup for each.
    """
    name = path.name.lower()
    if path.is_dir() and not sought.is_whole(path):
        what = folder_of_what(path)
        if what is PLAIN_FOLDER:
            listing.folders += [path] if name != OURS or (below and not is_ours(path)) else []
        elif what is WAL:
            listing.wal.append(path)
        else:
            return physical_in(path, what, listing, below, sought)
        return []
    if name.endswith(COMPANIONS):
        return []
    if name.endswith(IN_PROGRESS):
        listing.passed_over.append(f"{path.name}: still being written, judging by its name")
        return []
    return [path] if path.is_file() or path.is_dir() else []


def is_ours(folder: Path) -> bool:
    """Whether `folder` holds nothing but the drill's own safety snapshots, and its journals."""
    return all(
        each.name.startswith(SNAPSHOTS) or each.suffix == JOURNAL for each in entries_of(folder)
    )


def physical_in(
    path: Path, what: Foreign, listing: Listing, below: int, sought: Sought
) -> list[Path]:
    """The physical backups at `path`; what is none goes into `listing`."""
    if sought is DUMPS and what.cause in PHYSICAL_CAUSES:
        from restore_drill.selection.wholes import wholes_of  # noqa: PLC0415 - few folders hold one

        if found := wholes_of(path, what, listing):
            return found
    if what.cause in PHYSICAL_CAUSES:
        pass_over(listing, path, f"{what.what}, which is not drilled", below, sought)
    else:
        listing.others.append(path)
        listing.passed_over.append(f"{path.name}: {what.what}, which is not drilled")
    return []


def without_growing(paths: Iterable[Path], passed_over: list[str]) -> list[Path]:
    """`paths` without those whose size changes right now."""
    before = {path: size_of(path) for path in paths}
    now = time.time()
    if any(now - path.stat().st_mtime < YOUNG_SECONDS for path in before):
        time.sleep(SETTLE_SECONDS)
    steady = []
    for path, size in before.items():
        if size_of(path) == size:
            steady.append(path)
        else:
            passed_over.append(f"{path.name}: still being written: its size is changing")
    return steady

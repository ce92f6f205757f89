"""A backup under several names: links, links that were stored as text, and copies."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from restore_drill.backups.origins import is_awaited, origins
from restore_drill.selection.candidate import Candidate, claims_to_be_backup
from restore_drill.selection.listing import Listing
from restore_drill.selection.series import name_in_series

LONGEST_LINK = 1024
SAMPLES = 32
SAMPLE_BYTES = 1 << 16
"""So much of two files of one size is compared at each of SAMPLES places, the end among them."""


def linked_from(path: Path) -> Path | None:
    """What the link at `path` leads to, whether it is there or not; None where it is no link.

    A store that knows no links (an object store, git on Windows) keeps one as a text.
    """
    if path.is_symlink():
        return Path(os.path.realpath(path))  # Path.resolve() raises for a link to itself
    if claims_to_be_backup(path) and 0 < path.stat().st_size <= LONGEST_LINK:
        text = path.read_bytes().decode("utf-8", "replace").strip()
        if text and text.isprintable() and " " not in text and text != path.name:
            target = path.parent / text
            return target.resolve() if is_backup_there(target) else None
    return None


def is_backup_there(target: Path) -> bool:
    """Whether a text may be a link to `target`: not to a folder, but for a dump that is one."""
    return target.is_file() or (target / "toc.dat").is_file()


def followed(path: Path) -> Path:
    """`path`, or what it leads to where it is a link."""
    return linked_from(path) or path


def drop_copies(listing: Listing, found: list[Candidate]) -> None:
    """Put `found` into `listing`, without undated copies of dated ones (`latest.sql.gz`).

    What is called like another database is that one's, also where the two hold the same.
    """
    dated = [each for each in found if each.named]
    for each in found:
        twin = None
        if not each.named and each.size and each.path.is_file():
            twin = next(
                (one for one in dated if are_called_alike(each, one) and is_copy(each, one)), None
            )
        if twin is None:
            listing.found.append(each)
        else:
            listing.copies.append(each.path)
            listing.remarks.append(f"{each.path.name} is a copy of {twin.path.name}, counted once")


def drop_links(listing: Listing) -> None:
    """Leave out of `listing` what lies in several folders as hard links, but for one of each."""
    known: defaultdict[tuple[int, int], list[Candidate]] = defaultdict(list)
    found, listing.found = sorted(listing.found, key=lambda each: each.named is None), []
    for each in found:
        status = each.path.stat()
        same = known[status.st_dev, status.st_ino]
        first = next((one for one in same if are_called_alike(each, one)), None)
        if first is None:
            same.append(each)
            listing.found.append(each)
        elif first.path != each.path:
            listing.copies.append(each.path)
            listing.remarks.append(
                f"{each.label} is {first.label} under another name, counted once"
            )


def are_called_alike(one: Candidate, other: Candidate) -> bool:
    """Whether the names of two files say the same beside their times, or one says nothing."""
    names = {name_in_series(each.path) for each in (one, other)}
    return len(names) == 1 or "" in names


def is_copy(one: Candidate, other: Candidate) -> bool:
    """Whether two files have the same size and the same bytes wherever one looks."""
    if one.size != other.size or one.kind != other.kind or not other.path.is_file():
        return False
    if one.path.samefile(other.path):
        return True
    if is_awaited(one.path) or is_awaited(other.path):
        versions = [origins[each.path].version for each in (one, other) if each.path in origins]
        return len({*versions}) == 1 and len(versions) == 2 and bool(versions[0])
    last = max(one.size - SAMPLE_BYTES, 0)
    with one.path.open("rb") as left, other.path.open("rb") as right:
        for place in sorted({last * number // SAMPLES for number in range(SAMPLES + 1)}):
            left.seek(place)
            right.seek(place)
            if left.read(SAMPLE_BYTES) != right.read(SAMPLE_BYTES):
                return False
    return True

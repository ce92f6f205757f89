"""A backup under several names: links, links that were stored as text, and copies."""

from __future__ import annotations

import os
from pathlib import Path

from restore_drill.backups.origins import is_awaited, origins
from restore_drill.selection.candidate import Candidate, claims_to_be_backup

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
            return target.resolve() if target.exists() else None
    return None


def followed(path: Path) -> Path:
    """`path`, or what it leads to where it is a link."""
    return linked_from(path) or path


def without_copies(found: list[Candidate]) -> tuple[list[Candidate], list[str]]:
    """`found` without undated copies of dated ones (`latest.sql.gz`), and a line on each copy."""
    dated = [each for each in found if each.named]
    kept, remarks = [], []
    for each in found:
        twin = None
        if not each.named and each.size and each.path.is_file():
            twin = next((other for other in dated if is_copy(each, other)), None)
        if twin is None:
            kept.append(each)
        else:
            remarks.append(f"{each.path.name} is a copy of {twin.path.name}, counted once")
    return kept, remarks


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

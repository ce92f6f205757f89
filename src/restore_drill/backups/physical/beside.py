"""A folder of archived WAL that lies beside a base backup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from restore_drill.backups.physical.files import head_of
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.wal_header import any_header_of

NAMES = ("wal", "archive", "wal_archive", "wals", "pg_wal_archive")
"""Names of such folders."""
SEGMENT = re.compile(r"([0-9A-F]{24})(-[0-9a-f]{40})?(\.[A-Za-z0-9]{1,7}){0,2}")
LEVELS = 2
"""So many folders above the backup one is looked for: `backups/base/2026-11-29`, `backups/wal`."""


def with_archive(physical: Physical) -> Physical:
    """`physical` with the archive that lies beside it, where there is one for it."""
    if physical.archive is not None or not (physical.first_segment and physical.has_label):
        return physical  # without a label nobody knows where recovery may begin but in its own WAL
    path = physical.path.absolute()
    for above in (path, *list(path.parents)[:LEVELS]):
        for name in NAMES:
            folder = above / name
            if folder.is_dir() and holds_for(folder, physical):
                return replace(physical, archive=folder)
    return physical


def holds_for(folder: Path, physical: Physical) -> bool:
    """Whether `folder` holds the first segment that is needed, or a later one.

    Of one that is not compressed it is seen whether it is another server's.
    """
    first = physical.first_segment
    later = (path for name, path in segments_in(folder)
             if name[8:] >= first[8:] and name[:8] >= first[:8])  # fmt: skip
    path = next(later, None)
    if path is None:
        return False
    segment = any_header_of(head_of(path, 64))
    return segment is None or not physical.system or segment.system == physical.system


def segments_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of each segment in `folder`, and in the folders of 16 digits below it."""
    with suppress(OSError):
        for each in folder.iterdir():
            if found := SEGMENT.fullmatch(each.name):
                yield found[1], each
            elif len(each.name) == 16 and each.is_dir() and not each.is_symlink():
                with suppress(OSError):
                    inner = ((SEGMENT.fullmatch(file.name), file) for file in each.iterdir())
                    yield from ((name[1], file) for name, file in inner if name)

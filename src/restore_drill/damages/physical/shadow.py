"""A folder of links that looks like a backup, and in which one file is another one.

Nothing but that file is copied: a backup of any size takes the room of one small file.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from restore_drill.backups.physical.barman import DATA
from restore_drill.backups.physical.labels import LABEL
from restore_drill.backups.physical.model import BARMAN, BASE, PLAIN, Member, Physical

LARGEST = 64 << 20
"""Bytes of the largest file that is copied, where there is one that is smaller."""


def shadow_of(path: Path, folder: Path, changed: str) -> Path:
    """Links in `folder` to all that lies at `path`; the file `changed` of it is copied."""
    top = here = folder / path.name
    there = path.absolute()
    for name in PurePosixPath(changed).parts:
        here.mkdir()
        for each in there.iterdir():
            if each.name != name:
                (here / each.name).symlink_to(each)
        here, there = here / name, there / name
    shutil.copyfile(there, here)
    return top


def shadowed(physical: Physical, folder: Path, changed: str) -> tuple[Physical, Path]:
    """`physical`, as links in `folder`, and its file `changed`, which is a copy there."""
    member = physical.newest
    if member.path.name == DATA:  # of Barman: its tablespaces lie beside it
        for each in member.path.absolute().parent.iterdir():
            if each.name != DATA:
                (folder / each.name).symlink_to(each)
    top = shadow_of(member.path, folder, changed)
    manifest = member.manifest
    if manifest is not None and manifest.is_relative_to(member.path):
        manifest = top / manifest.relative_to(member.path)
    members = (*physical.members[:-1], Member(top, manifest, member.form))
    # Barman's own sum of the sizes is not compared: of a link it is that of the link.
    kind = BASE if physical.kind == BARMAN else physical.kind
    return replace(physical, members=members, kind=kind), top / changed


def as_it_is(physical: Physical) -> Physical:
    """`physical`, with what is read of a damaged one when it is selected."""
    member = physical.newest
    has_label = physical.has_label
    if member.form == PLAIN:
        has_label = (member.path / LABEL).is_file()
    return replace(physical, has_label=has_label)


def smallish(files: Iterator[Path]) -> Path | None:
    """The largest of `files` that is not larger than LARGEST, else the smallest; None for none."""
    sizes = {each: each.stat().st_size for each in files if each.is_file()}
    fitting = [each for each, size in sizes.items() if 0 < size <= LARGEST]
    if fitting:
        return max(fitting, key=lambda each: (sizes[each], each.name))
    return min(sizes, key=lambda each: (sizes[each], each.name), default=None)

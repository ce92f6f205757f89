"""The chain that an incremental base backup belongs to (PostgreSQL 17 and newer)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.files import head_of
from restore_drill.backups.physical.in_tars import BASE_TAR, Noted, look_through, tars_in
from restore_drill.backups.physical.labels import LABEL, MOST, Label, label_of
from restore_drill.backups.physical.manifests import MANIFEST, manifest_at, sizes_in
from restore_drill.backups.physical.model import CHAIN, PLAIN, TAR, Member, Physical

MOST_NEAR = 2000
"""So many folders around an incremental backup are looked into."""


class Link(NamedTuple):
    """A base backup that may be a member of a chain."""

    member: Member
    label: Label
    system: str


def label_at(path: Path) -> tuple[Label, str]:
    """The label of the base backup in the folder at `path`, and its form, empty for no backup."""
    if data := head_of(path / LABEL, MOST):
        return label_of(data), PLAIN
    tars = tars_in(path)
    if BASE_TAR not in tars:
        return Label(), ""
    noted = Noted()
    # pg_basebackup writes the label first: where it does not come at once there is none.
    look_through(tars[BASE_TAR], lambda found: bool(found.label or found.version), noted)
    return label_of(noted.label), TAR


def link_at(path: Path) -> Link | None:
    """The base backup with a label in the folder at `path`, None for none."""
    with suppress(OSError):
        label, form = label_at(path)
        if form and label.start_lsn is not None:
            there = path / MANIFEST
            manifest = there if there.is_file() else None
            system = manifest_at(there).system if manifest else ""
            return Link(Member(path, manifest, form), label, system)
    return None


def folders_near(path: Path) -> Iterator[Path]:
    """The folders that may hold other members of the chain of the one at `path`.

    They lie beside it, around it, or as deep below the folders around.
    """
    parent = path.absolute().parent
    seen = {path.absolute()}
    for place in (*folders_of(parent), parent, *folders_of(parent, deep=True),
                  *folders_of(parent.parent, deep=True)):  # fmt: skip
        if place not in seen:
            seen.add(place)
            yield place


def folders_of(path: Path, *, deep: bool = False) -> Iterator[Path]:
    """The folders in `path`, or those one level `deep`er."""
    with suppress(OSError):
        for each in sorted(path.iterdir()):
            if each.is_dir() and not each.is_symlink():
                yield from folders_of(each) if deep else [each]


def chained(backup: Physical) -> Physical:
    """`backup` with all members of its chain, as far as they are found, the full one first.

    One that is no increment is given back as it is.
    """
    own = link_at(backup.path)
    if own is None or own.label.incremental_from is None:
        return backup
    near = [found for path in islice(folders_near(backup.path), MOST_NEAR)
            if (found := link_at(path)) and found.system == own.system]  # fmt: skip
    chain, first = [own], own
    while (before := first.label.incremental_from) is not None:
        at = first.label.start_lsn or 0
        found = next((each for each in near if each.label.start_lsn == before < at), None)
        if found is None:
            break
        chain.insert(0, found)
        first = found
    members = tuple(each.member for each in chain)
    earlier = [each.manifest for each in members[:-1] if each.manifest]
    size = backup.size + sum(map(sizes_in, earlier))
    return replace(backup, kind=CHAIN, members=members, size=size)


def missing_before(member: Member) -> Label | None:
    """The label of the first `member` of a chain where it is no full backup; else None."""
    label, _ = label_at(member.path)
    return label if label.incremental_from is not None else None

"""Damages to the files of a physical backup, which reading it to its end must notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from restore_drill.backups.physical.files import WAL_DIR
from restore_drill.backups.physical.in_tars import tars_in
from restore_drill.backups.physical.labels import LABEL
from restore_drill.backups.physical.model import PLAIN, TAR, Physical
from restore_drill.backups.physical.wal_names import SEGMENT
from restore_drill.damages.physical.model import COMPLETE, FilesDamage, Untried
from restore_drill.damages.physical.shadow import as_it_is, shadowed, smallish

Edit = Callable[[Path], None]
Do = Callable[[Physical, Path], Physical]
Pick = Callable[[Physical], Path]


def data_file(physical: Physical) -> Path:
    """A file of a table or an index, of a backup whose manifest has the files' checksums."""
    if physical.newest.form != PLAIN:
        raise Untried("its files do not lie there one by one")
    return by_manifest(physical, smallish(physical.newest.path.glob("base/*/*")))


def by_manifest(physical: Physical, found: Path | None) -> Path:
    """`found`, where there is a manifest that it is held against."""
    if physical.newest.manifest is None:
        raise Untried("the backup has no manifest that its files are compared with")
    if found is None:
        raise Untried("no such file is in it")
    return found


def tar_file(physical: Physical) -> Path:
    """One of its tars."""
    member = physical.newest
    found = smallish(iter(tars_in(member.path).values())) if member.form == TAR else None
    if found is None:
        raise Untried("it has no tars")
    return found


def label(physical: Physical) -> Path:
    """Its backup_label."""
    path = physical.newest.path / LABEL
    if not path.is_file():
        raise Untried("no backup_label lies there as a file of its own")
    return path


def manifest(physical: Physical) -> Path:
    """Its manifest."""
    found = physical.newest.manifest
    if found is None or not found.is_relative_to(physical.newest.path):
        raise Untried("the backup has no manifest")
    return found


def segment(physical: Physical) -> Path:
    """The first WAL segment that it needs, where that lies in it."""
    if physical.newest.form == TAR:
        raise Untried("its WAL lies in a tar")
    folder = physical.newest.path / WAL_DIR
    there = [each for each in sorted(folder.glob("*")) if SEGMENT.fullmatch(each.name)]
    first = [each for each in there if each.name == physical.first_segment]
    if not (physical.has_wal and first):
        raise Untried("no WAL lies in it")
    return first[0]


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)


def cut(path: Path) -> None:
    """Lose the second half."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def on(pick: Pick, edit: Edit) -> Do:
    """Function that damages the file that `pick` names, by `edit`."""

    def do(physical: Physical, folder: Path) -> Physical:
        name = str(pick(physical).relative_to(physical.newest.path))
        found, path = shadowed(physical, folder, name)
        edit(path)
        return as_it_is(found)

    return do


def untouched(_: Path) -> None:
    """Change nothing."""


FLIPPED = FilesDamage("flipped_bit", "one bit in a data file has changed", COMPLETE,
                      on(data_file, flip))  # fmt: skip
CUT = FilesDamage("cut_file", "a data file is cut in the middle", COMPLETE,
                  on(data_file, cut))  # fmt: skip
LOST = FilesDamage("lost_file", "a data file is missing", COMPLETE,
                   on(data_file, Path.unlink))  # fmt: skip
TAR_CUT = FilesDamage("cut_tar", "a tar is cut in the middle", COMPLETE,
                      on(tar_file, cut))  # fmt: skip
LABEL_LOST = FilesDamage("lost_label", "the backup_label is missing", COMPLETE,
                         on(label, Path.unlink))  # fmt: skip
MANIFEST_EDITED = FilesDamage("changed_manifest", "one bit in the manifest has changed", COMPLETE,
                              on(manifest, flip))  # fmt: skip
SEGMENT_LOST = FilesDamage("lost_wal", "the first WAL segment in the backup is missing", COMPLETE,
                           on(segment, Path.unlink))  # fmt: skip
FILES_DAMAGES = (FLIPPED, CUT, LOST, TAR_CUT, LABEL_LOST, MANIFEST_EDITED, SEGMENT_LOST)
CONTROLS = (on(data_file, untouched), on(tar_file, untouched), on(label, untouched))
"""Of these the first that can be done must not be noticed: nothing is damaged by it."""

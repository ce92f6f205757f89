"""The manifest of a backup that was encrypted or wrapped after it was taken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import sha256_of
from restore_drill.backups.streams import AROUND, open_plain
from restore_drill.core.units import show_bytes
from restore_drill.manifest.file import Manifest, manifest_path
from restore_drill.selection.series import without_suffix

CHECKED_HERE = ("backup_manifest", "pg_wal")
"""How files of a physical backup are called whose content no other manifest vouches for."""


def manifest_of(backup: Backup) -> Path:
    """Where the manifest of `backup` lies, if it has one: beside it, under its name or its inner.

    `shop.dump.manifest.json` is that of `shop.dump.age` too, where there is none of its own.
    """
    own = manifest_path(backup.path)
    if own.exists() or not backup.compression:
        return own
    beside = (manifest_path(backup.path.with_name(name)) for name in inner_names(backup.name))
    return next((path for path in beside if path.is_file()), own)


def inner_names(name: str) -> Iterator[str]:
    """`name` with fewer and fewer suffixes of formats."""
    while (shorter := without_suffix(name)) not in (name, ""):
        yield shorter
        name = shorter


def differences(manifest: Manifest, backup: Backup, contents: Contents) -> list[str]:
    """How `backup`, or what is wrapped in it, differs from what `manifest` describes."""
    if backup.physical is not None:
        return list(physical_differences(manifest, backup.files))
    if manifest.backup == backup.name or not backup.compression:
        return manifest.differences(backup.path, contents.sha256)
    if backup.format == "directory" and backup.unpacked:
        return manifest.differences(backup.unpacked, sha256_of(backup.unpacked))
    size = 0
    for layers in from_outside(backup.compression):
        digest, size = digest_behind(backup.path, layers)
        if digest == manifest.sha256:
            return []
    found = f"it holds {show_bytes(size)} ({size:,} bytes)"
    return [f"{found} of another content, {manifest.backup} had {manifest.size:,} bytes"]


def physical_differences(manifest: Manifest, folder: Path) -> Iterator[str]:
    """How the files of a physical backup in `folder` differ from those that `manifest` names.

    Its own backup_manifest holds the checksums of all but WAL, and they were compared before: here
    it is that file which must be the same, and the WAL.
    """
    for name, (size, digest) in manifest.files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif (now := path.stat().st_size) != size:
            yield f"{name} has {now:,} bytes, it had {size:,}"
        elif name.startswith(CHECKED_HERE) and sha256_of(path) != digest:
            yield f"{name} has another content"


def from_outside(compression: str) -> Iterator[str]:
    """The outermost layer of `compression`, the outer two, and so on."""
    names = compression.split(AROUND)
    return (AROUND.join(names[at:]) for at in range(len(names) - 1, -1, -1))


def digest_behind(path: Path, layers: str) -> tuple[str, int]:
    """SHA-256 and size of what lies behind `layers` in the file at `path`."""
    digest, size = hashlib.sha256(), 0
    with open_plain(path, layers) as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size

"""Chains of incremental base backups in a bucket or on a server: the members before one come too.

Their manifests alone tell which they are, so that no other backup is fetched for it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from restore_drill.backups.origins import begin, is_awaited
from restore_drill.backups.physical.chains import MOST_NEAR, folders_near, label_at
from restore_drill.backups.physical.manifests import MANIFEST, manifest_at


def fetch_before(path: Path, fetch: Callable[[Path], None], fill: Callable[[], None]) -> None:
    """Let `fetch` bring what the base backup in the folder at `path` is the increment of.

    `fill` has the place listed, where that has not been done: of a backup that is named it is not.
    """
    label, _ = label_at(path)
    while (before := label.incremental_from) is not None and before < (label.start_lsn or 0):
        found = near(path, before)
        if found is None:
            fill()
            found = near(path, before)
        if found is None:
            return
        fetch(found)
        path, (label, _) = found, label_at(found)


def near(path: Path, lsn: int) -> Path | None:
    """The backup near that at `path` that begins at `lsn`; None for none."""
    places = islice(folders_near(path), MOST_NEAR)
    return next((each for each in places if begins_at(each / MANIFEST, lsn)), None)


def begins_at(manifest: Path, lsn: int) -> bool:
    """Whether the backup with this `manifest`, which may have to come first, begins at `lsn`."""
    if is_awaited(manifest):
        begin(manifest).wait()
    return manifest.is_file() and manifest_at(manifest).start_lsn == lsn

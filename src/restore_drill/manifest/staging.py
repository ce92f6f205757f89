"""Where a backup lies until it is complete: a hidden directory beside its place, then renamed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from tempfile import mkdtemp

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

PREFIX = ".restore-drill-backup-"
SUFFIX = ".part"
YOUNG_SECONDS = 10.0
"""A directory so young may belong to a backup that has not locked it yet."""


@contextmanager
def staging_in(folder: Path) -> Iterator[Path]:
    """Hidden directory in `folder` for a backup that is being written, gone afterwards.

    It is locked while its process lives, so that the next backup knows and removes what a killed
    one has left.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder)
        staging = Path(mkdtemp(prefix=PREFIX, suffix=SUFFIX, dir=folder))
    except OSError as error:
        raise CouldNotRun(
            f"no backup can be written to {folder}: {error.strerror}",
            remedy=remedy_for("backup", "unwritable"),
        ) from None
    lock = os.open(staging, os.O_RDONLY)
    try:
        flock(lock, LOCK_EX | LOCK_NB)
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(lock)


def remove_abandoned(folder: Path) -> None:
    """Remove staging directories in `folder` whose process is gone."""
    for staging in folder.glob(f"{PREFIX}*{SUFFIX}"):
        if time.time() - staging.stat().st_mtime < YOUNG_SECONDS:
            continue
        with suppress(OSError):
            lock = os.open(staging, os.O_RDONLY)
            try:
                flock(lock, LOCK_EX | LOCK_NB)
                shutil.rmtree(staging)
            finally:
                os.close(lock)


def publish(staged: Iterable[Path], folder: Path) -> None:
    """Give each of `staged` its place in `folder`, in their order; all of them or none.

    Each is on the disk before the next one gets its place.
    """
    published: list[Path] = []
    try:
        for staging in staged:
            place = folder / staging.name
            refuse_existing(place)
            staging.rename(place)
            published.append(place)
            sync(folder)
    except BaseException:
        for place in reversed(published):
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink(missing_ok=True)
        raise


def refuse_existing(place: Path) -> None:
    """CouldNotRun where something lies at `place`: no backup is ever overwritten."""
    if place.exists():
        raise CouldNotRun(
            f"{place} already exists and was not overwritten",
            remedy=remedy_for("backup", "same_name"),
        )


def sync(folder: Path) -> None:
    """See the names in `folder` on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

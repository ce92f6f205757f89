"""Private folders of the drills on a worker, and what dead ones have left there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from restore_drill.config.own import TOP
from restore_drill.core.errors import CouldNotRun
from restore_drill.redis.folders import clean_left_over_redis
from restore_drill.selection.left_mirrors import clean_left_mirrors
from restore_drill.servers.cleanup import bases, clean_left_overs
from restore_drill.servers.owned import claimed, directories, make_owned, remove_owned

PREFIX = "restore-drill-fleet-"
WORK, REPORT, OUTPUT = "work", "report", "output"
"""What a folder holds: the files of the job, its reports, and what the drill has said."""


@contextmanager
def own_folder() -> Iterator[tuple[Path, BinaryIO]]:
    """A folder (mode 0700) for one drill, and its lock; removed at the end. OSError.

    Who has a copy of the lock's descriptor owns the folder too.
    """
    folder, lock = make_owned(bases()[0], PREFIX)
    try:
        for name in (WORK, REPORT):
            (folder / name).mkdir()
        (folder / TOP).touch()  # criteria in folders above TMPDIR are none of the job's
        yield folder, lock
    finally:
        remove_owned(folder)
        lock.close()


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` by their paths below `folder`; OSError, CouldNotRun for one that leads out."""
    for name, data in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise CouldNotRun(f"the job holds a file whose path leads out of its folder: {name}")
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def sweep() -> list[str]:
    """Remove what dead drills have left on this worker; what was done, in words.

    What cannot be removed stays: the next drill says so where it is in its way.
    """
    done: list[str] = []
    for clean in (clean_left_overs, clean_left_over_redis, clean_left_mirrors, clean_folders):
        with suppress(OSError):
            done += clean()
    return done


def clean_folders() -> list[str]:
    """Remove the folders of dead drills; what was done, in words."""
    done = []
    for folder in directories(bases(), f"{PREFIX}????????"):
        with claimed(folder) as owner:
            if owner is not None:
                remove_owned(folder)
                done.append(f"removed the folder of a fleet's drill that died ({owner}): {folder}")
    return done

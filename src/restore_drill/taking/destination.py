"""Where backups are brought: a folder of this machine, or, in `bucket.py`, one of another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from restore_drill.config.options import usage_error
from restore_drill.config.remote import places
from restore_drill.config.settings import Settings
from restore_drill.config.values import path_of
from restore_drill.core.access import cannot_read
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.manifest.staging import publish, refuse_existing, staging_in, sync
from restore_drill.selection.candidate import size_of
from restore_drill.selection.tree import DEEPEST

INNER = "db"
"""Folder in BACKUP_PATH that holds the backups, where there is one."""
AROUND = DEEPEST + 1
"""So many folders around a place may be BACKUP_PATH, which is searched so deep, or in its `db/`."""
Add = Callable[[str, Iterable[bytes]], None]
"""Takes the name of a new file, and its bytes; raises where it cannot be written whole."""


class Destination(Protocol):
    """A folder that backups are written to. CouldNotRun where it does not do what it should."""

    left: list[str]
    """What a backup that was not finished has left there, since it could not be removed."""

    @property
    def shown(self) -> str:
        """As users write it."""

    @property
    def notes(self) -> list[Path]:
        """Where drills note what became of its backups: BACKUP_PATH may be a folder around it."""

    def entries(self) -> dict[str, int]:
        """Bytes of what lies directly in it, by name."""

    def read(self, name: str) -> bytes:
        """A small file there."""

    def remove(self, names: Sequence[str]) -> None:
        """Remove these, one after the other; what is not there is no error."""

    def writing(self, name: str, expected: int) -> AbstractContextManager[Add]:
        """Write the backup `name`, and what lies beside it, in the order in which it is added.

        No other backup gets that name. Nothing of it stays where the context ends by an exception.
        It has some `expected` bytes.
        """


class Folder:
    """A folder of this machine: what is written to it has a hidden place until it is whole."""

    def __init__(self, path: Path) -> None:
        """Nothing is asked yet."""
        self.path = path
        self.shown = str(path)
        self.left: list[str] = []

    @property
    def notes(self) -> list[Path]:
        """Its own, and those of the folders around it from which drills find its backups."""
        here = self.path.absolute()
        around = (here, *here.parents[:AROUND], *here.resolve().parents[:AROUND])
        return [each / ".drill" for each in dict.fromkeys(around)]

    def entries(self) -> dict[str, int]:
        """What lies in it; nothing where it is yet to be made."""
        try:
            there = [each for each in self.path.iterdir() if each.exists()]
            return {each.name: size_of(each) for each in there}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise cannot_read("the folder", self.path, error) from None

    def read(self, name: str) -> bytes:
        """All of a file; OSError."""
        return (self.path / name).read_bytes()

    def remove(self, names: Sequence[str]) -> None:
        """Each vanishes at once, a directory too: that is moved out of sight first."""
        try:
            with staging_in(self.path) as staging:
                for name in names:
                    place = self.path / name
                    if place.exists():
                        place.rename(staging / name)
                        sync(self.path)
        except OSError as error:
            raise CouldNotRun(
                f"{self.shown} keeps what was to be deleted: {error.strerror}",
                remedy=remedy_for("backup", "not_deleted"),
            ) from None

    @contextmanager
    def writing(self, name: str, expected: int) -> Iterator[Add]:
        """Each file is on the disk before the next one gets its place."""
        with staging_in(self.path) as staging:
            refuse_existing(self.path / name)
            del expected
            added: list[Path] = []

            def add(file: str, pieces: Iterable[bytes]) -> None:
                added.append(staging / file)
                write_pieces(added[-1], pieces)

            yield add
            publish(added, self.path)


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write `pieces` to the new file `path`, and see them on the disk."""
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def destination_from(to: str | None, settings: Settings) -> Destination:
    """What `--to` names, else BACKUP_PATH, there in its `db/` if it has one; else UsageError."""
    if to is not None and not to.strip():
        raise UsageError("--to is empty (an unset variable?); name a folder or s3://bucket/folder")
    path = settings.backup_path if to is None else path_of({"to": to}, "to", Path.cwd())
    if path is None:
        raise usage_error("backup_path", "is unset", "set it, or give --to")
    if path in places:
        from restore_drill.taking.bucket import BucketFolder  # noqa: PLC0415 - most places are folders

        bucket = BucketFolder(places[path])
        return bucket.inner(INNER) if to is None else bucket
    inner = path / INNER
    return Folder(inner if to is None and inner.is_dir() else path)

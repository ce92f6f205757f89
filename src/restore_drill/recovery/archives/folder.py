"""An archive in a folder: segments in it or in folders by sixteen digits, compressed or plain.

That is what archive_command, pg_receivewal, Barman and most scripts leave. It may be written to
while it is read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from restore_drill.backups.physical.wal_names import (
    PARTIAL,
    SEGMENT,
    SUFFIXES,
    WITNESS,
    is_last,
    is_served,
    name_in,
)
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.printable import shown_path
from restore_drill.core.remedies import remedy_for
from restore_drill.recovery.archives.copying import bring, damaged, unreadable
from restore_drill.recovery.archives.growing import grows
from restore_drill.recovery.archives.header import is_short, pad

BRANCH = 16
"""Digits of a segment's name that may be the name of the folder it lies in."""
IS_BRANCH = re.compile(r"[0-9A-F]{16}")
LIST = "xlog.db"
"""Barman's list of the segments beside it."""
ABSENT = (FileNotFoundError, NotADirectoryError)


class Folder:
    """An archive in `path`; what is missing there may lie in one of the folders `more`."""

    def __init__(self, path: Path, *more: Path) -> None:
        """Look whether it is there; CouldNotRun where it cannot be read."""
        self.path, self.roots = path, (path, *more)
        self.words = shown_path(path)
        self.device: int | None = None
        self.written_down: frozenset[str] | None = None
        self.check()

    def check(self) -> None:
        """CouldNotRun where it cannot be read, or is another one now: what is mounted may go."""
        try:
            os.scandir(self.path).close()
            device = self.path.stat().st_dev
        except OSError as error:
            raise self.unreachable(error.strerror or "it cannot be read") from None
        if self.device not in (None, device):
            raise self.unreachable("what was mounted there is not any more")
        self.device = device

    def unreachable(self, why: str) -> CouldNotRun:
        """The error for an archive that cannot be read, or not any more."""
        return CouldNotRun(
            f"the WAL archive {self.words} cannot be read: {why}",
            remedy=remedy_for("archive", "unreadable", where=self.words),
        )

    def stop(self) -> None:
        """Nothing is under way but reading a file, which ends with its thread."""

    def names(self) -> list[str]:
        """Names of all segments, histories and .partial files, sorted, compression taken off."""
        there = list(self.files())
        if self.written_down is None:
            self.written_down = frozenset(self.seen_in(there))
        self.check()
        return sorted(set(filter(None, map(name_in, there))))

    def files(self) -> Iterator[str]:
        """Names of all files in it."""
        for root in self.roots:
            for folder in (root, *(root / each for each in self.listed(root, branches=True))):
                yield from self.listed(folder)

    def witnesses(self) -> frozenset[str]:
        """Segments that base backups began in, and those in Barman's list."""
        if self.written_down is None:
            self.written_down = frozenset(self.seen_in(self.files()))
        return self.written_down

    def seen_in(self, there: Iterable[str]) -> Iterator[str]:
        """The same, as the files that are `there` and the list say."""
        with suppress(OSError):
            text = (self.path / LIST).read_text("utf-8", errors="replace")
            listed = (line.partition("\t")[0] for line in text.splitlines())
            yield from filter(SEGMENT.fullmatch, listed)
        yield from (found[1] for each in there if (found := WITNESS.fullmatch(each)))

    def listed(self, folder: Path, *, branches: bool = False) -> list[str]:
        """Names in `folder`, or of the folders in it that hold segments."""
        try:
            with os.scandir(folder) as entries:
                if not branches:
                    return [each.name for each in entries]
                return [
                    each.name
                    for each in entries
                    if IS_BRANCH.fullmatch(each.name) and each.is_dir()
                ]
        except ABSENT:
            return []
        except OSError as error:
            raise self.unreachable(f"{shown_path(folder)}: {error.strerror}") from None

    def fetch(self, name: str, to: Path) -> bool:
        """Write the file `name`, decompressed, to `to`; False where the archive has none."""
        if not is_served(name):
            return False
        while (path := self.find(name)) is not None:
            where = shown_path(path)
            try:
                bring(path, to, name, where)
            except FileNotFoundError:
                continue  # it was moved within the archive, or deleted
            except BackupFault:
                if not grows(path):
                    raise
            else:
                if not (SEGMENT.fullmatch(name) and is_short(to) and grows(path)):
                    return True
        self.check()
        return self.fetch_partial(name, to)

    def fetch_partial(self, name: str, to: Path) -> bool:
        """Write the segment `name` as far as it goes, where it is the newest and not finished."""
        path = self.find(f"{name}{PARTIAL}")
        if path is None or not is_last(name, self.names()):
            return False
        try:
            bring(path, to, name, shown_path(path), to_end=False)
        except FileNotFoundError:
            return False
        pad(to)
        return True

    def find(self, name: str) -> Path | None:
        """Where the plain file `name` lies, None where it does not."""
        for path in self.places_of(name):
            try:
                if stat.S_ISREG(path.stat().st_mode):
                    return path
            except ABSENT:
                continue
            except OSError as error:
                raise unreadable(name, shown_path(path), error) from None
            raise damaged(name, shown_path(path), "it is no plain file")
        return None

    def places_of(self, name: str) -> Iterator[Path]:
        """Where `name` may lie."""
        stem = name.removesuffix(PARTIAL)
        for root in self.roots:
            for suffix in SUFFIXES:
                files = [f"{name}{suffix}"]
                if stem != name and suffix:
                    files.append(f"{stem}{suffix}{PARTIAL}")
                for file in files:
                    yield root / file
                    if SEGMENT.match(name):
                        yield root / name[:BRANCH] / file

"""The SQL that a backup's reading has made of it, kept for the restore that follows.

It is what pg_restore makes of an archive, or a plain dump without its compression. It lies in a
file without a name, of which no exit and no kill leaves anything behind.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from restore_drill.backups.archive import Header, reading_tools, reads
from restore_drill.backups.model import Backup
from restore_drill.backups.plaindump.lines import Readable
from restore_drill.backups.sealed import is_sealed
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.find import installed

ROOM = 3
"""Free bytes a byte of what is kept: a database of its size, its indexes, and to spare."""
UNCONVERTED = (0, 0)
"""In place of pg_restore's version: the SQL is the dump's own."""
LOOK = 1 << 26
"""Bytes after which free space is looked at again."""


def makes_sql(backup: Backup) -> bool:
    """Whether reading `backup` makes SQL that is to be kept.

    Not of one that lies there as SQL, nor of an encrypted dump: no more plain text than is needed.
    """
    return backup.is_archive or bool(backup.compression and not is_sealed(backup.compression))


class Converted:
    """What is kept of one backup: `version` is that of the pg_restore that has made it whole."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self.file: IO[bytes] | None = None
        self.size = 0
        self.version: tuple[int, int] | None = None

    def tools(self, header: Header) -> Binaries:
        """Tools for an archive: those that a server of its own version has, if they are here."""
        major = header.head.source_major
        own = installed(major, frozenset(), []) if major else None
        return own if own and reads(own, header) else reading_tools(header)

    def keeping(self, stream: Readable) -> Readable:
        """`stream`, of which all that is read is kept while there is room for it."""
        self.close()
        self.file, self.size = tempfile.TemporaryFile(prefix="restore-drill-spool-"), 0  # noqa: SIM115
        return Keeping(stream, self)

    def add(self, data: bytes) -> None:
        """Keep `data` too; all is let go of where the disk is too small for that."""
        if self.file is None:
            return
        try:
            if self.size // LOOK != (self.size + len(data)) // LOOK and not self.has_room():
                self.close()
                return
            self.file.write(data)
            self.size += len(data)
        except OSError:
            self.close()

    def has_room(self) -> bool:
        """Whether a database fits beside what is kept."""
        return shutil.disk_usage(tempfile.gettempdir()).free >= ROOM * self.size

    def end(self, version: tuple[int, int]) -> None:
        """All has been read, as pg_restore of `version` has made it."""
        if self.file is None:
            return
        try:
            self.file.flush()
            self.version = version if self.has_room() else None
        except OSError:
            self.close()

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """What is kept, from its front; not by two at once."""
        assert self.file is not None
        self.file.seek(0)
        yield self.file

    def close(self) -> None:
        """Give its room back."""
        self.version = None
        file, self.file = self.file, None
        if file is not None:
            with suppress(OSError):  # by what a full disk has not taken, and is not wanted
                file.close()


class Keeping:
    """A stream, of which `converted` keeps what is read."""

    def __init__(self, stream: Readable, converted: Converted) -> None:
        """Read `stream`."""
        self.stream, self.converted = stream, converted

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        data = self.stream.read(size)
        self.converted.add(data)
        return data

"""pg_verifybackup that reads no further: gzip data of several parts keep it busy for ever.

So they do in PostgreSQL 18: whatever follows the first part is never read, though gzip itself reads
it, as well as zeros behind the end. It is given the tars decompressed then.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import IO

from restore_drill.backups.physical.findings import Findings
from restore_drill.backups.physical.in_tars import compression_at, tars_in
from restore_drill.backups.physical.model import Member
from restore_drill.backups.streams import READ_ERRORS, open_plain

PATIENCE = 20.0
"""Seconds without a byte read after which it is not waited for."""
PIECE = 1 << 20


class Stalled(Exception):
    """A program reads nothing any more."""


class Watch:
    """Sees whether a running program still reads, where the system tells."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.process, self.read, self.since = 0, -1, 0.0

    def begin(self, process: int) -> None:
        """It has that number."""
        self.process = process

    def look(self, passed: float) -> None:
        """Raise Stalled where it has read nothing for too long; it has run so many seconds."""
        with suppress(OSError, IndexError, ValueError):
            text = Path(f"/proc/{self.process}/io").read_text(encoding="ascii")
            read = int(text.split()[1])
            if read != self.read:
                self.read, self.since = read, passed
            elif passed - self.since > PATIENCE:
                raise Stalled


def unpacked(member: Member, found: Findings) -> Path:
    """A private folder with the tars of `member` as they are without gzip.

    What cannot be decompressed to its end is cut there: reading the tars has named it.
    """
    folder = found.place("unpacked")
    for name, path in tars_in(member.path).items():
        with (
            open_plain(path, compression_at(path)) as stream,
            (folder / f"{name}.tar").open("wb") as file,
        ):
            while piece := next_of(stream):
                file.write(piece)
    return folder


def next_of(stream: IO[bytes]) -> bytes:
    """The next bytes; none at the end, and where it cannot be read further."""
    with suppress(*READ_ERRORS):
        return stream.read(PIECE)
    return b""

"""The data of Redis as they came, where only an encrypted file or an object of a bucket is written.

They are kept in memory alone, until what their keys hold was measured: in a file that no disk has.
"""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

import psutil

from restore_drill.core.units import show_bytes

SHARE = 0.25
"""Share of the free memory that they may take: Redis itself may run on the same machine."""


class InMemory:
    """The pieces of a file, as long as there is room for them; then `why_not` says why not."""

    def __init__(self) -> None:
        """It is empty."""
        self.file: FileIO | None = None
        self.why_not = ""
        self.size, self.room = 0, round(psutil.virtual_memory().available * SHARE)
        if not hasattr(os, "memfd_create"):
            self.why_not = "it is encrypted or in a bucket, and only Linux can keep it in memory"
            return
        self.file = FileIO(os.memfd_create("restore-drill-redis"), "w")

    def add(self, piece: bytes) -> None:
        """Keep `piece` behind the others."""
        if self.file is None:
            return
        self.size += len(piece)
        if self.size > self.room:
            self.why_not = (
                f"it is encrypted or in a bucket, and there is no room to keep it in memory: "
                f"that may take {show_bytes(self.room)}"
            )
            self.close()
            return
        rest = memoryview(piece)
        while rest:
            rest = rest[self.file.write(rest) :]

    @property
    def path(self) -> Path | None:
        """Where programs of this user can read it; None where it is not kept."""
        return Path(f"/proc/{os.getpid()}/fd/{self.file.fileno()}") if self.file else None

    def close(self) -> None:
        """Forget it."""
        if self.file is not None:
            self.file.close()
        self.file = None

"""Small file systems of their own, which fill up, become read-only, and recover at once."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOMY = 700 << 20
"""Bytes of a disk with room: a drill reserves 256 MB of it for the server."""


def may_mount() -> bool:
    """Whether this process can make file systems; a tmpfs needs root."""
    if os.geteuid() != 0:
        return False
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return done.returncode == 0


@dataclass(frozen=True)
class Disk:
    """A tmpfs on `path`; where none can be mounted it is a plain folder."""

    path: Path
    is_mounted: bool
    size: int = ROOMY

    @classmethod
    def make(cls, path: Path, size: int = ROOMY) -> Disk:
        """Make the folder `path` and mount it, where that is possible, with so many bytes."""
        path.mkdir(parents=True)
        disk = cls(path, may_mount(), size)
        if disk.is_mounted:
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(path)],
                check=True,
            )
        return disk

    def remount(self, *options: str) -> None:
        """Change its size, or whether it may be written."""
        given = ",".join(("remount", *options))
        subprocess.run(["mount", "-o", given, str(self.path)], check=True)

    def fill(self) -> None:
        """Leave no page of it free."""
        found = os.statvfs(self.path)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        # What is written in between makes the size too small: then it is asked for once more.
        try:
            self.remount(f"size={max(used, 4096)}")
        except subprocess.CalledProcessError:
            self.fill()

    def heal(self) -> None:
        """Give it room, and let it be written."""
        if self.is_mounted:
            self.remount(f"size={self.size}", "rw")

    def remove(self) -> None:
        """Unmount it."""
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.path)], check=False)

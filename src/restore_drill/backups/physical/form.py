"""Physical backups as a format among others: recognised, described, read to their ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from restore_drill.backups.converted import Converted
from restore_drill.backups.model import Backup, Contents, Head

PIECE = 1 << 20

if TYPE_CHECKING:
    from restore_drill.backups.physical.model import Physical


class PhysicalFormat:
    """One kind of physical backup; what it needs is imported once one is met."""

    def __init__(self, kind: str) -> None:
        """The kind called so."""
        self.kind = kind

    def claims(self, path: Path, compression: str, head: bytes) -> bool:
        """Whether the folder at `path` holds one of this kind."""
        if compression or head or not path.is_dir():
            return False
        from restore_drill.backups.physical.quick import kind_at  # noqa: PLC0415 - few are folders

        return kind_at(path) == self.kind

    def quick_head(self, path: Path, compression: str, *, is_dated: bool) -> Head:
        """What it says of its server and its time."""
        del is_dated
        return self.head(path, compression)

    def head(self, path: Path, compression: str) -> Head:
        """Likewise; tables are listed by no physical backup."""
        del compression
        from restore_drill.backups.physical.kinds import physical_at  # noqa: PLC0415 - as above

        found = physical_at(path)
        return head_of(found) if found else Head()

    def contents(
        self,
        backup: Backup,
        folder: Path,
        report: Callable[[int], None],
        converted: Converted | None = None,
    ) -> Contents:
        """What is wrong with it, and what could not be checked; rows are known once it runs."""
        del converted
        from restore_drill.backups.physical.verify import verify  # noqa: PLC0415 - as above

        assert backup.physical is not None
        place = folder / "verified"
        place.mkdir(mode=0o700, exist_ok=True)
        found = verify(backup.physical, place, report)
        return Contents(
            sha256=digest_of(backup.physical),
            head=head_of(backup.physical),
            rows=None,
            faults=found.faults,
            told=found.told,
        )


def head_of(physical: Physical) -> Head:
    """What a physical backup says of its server and its time."""
    version = physical.version or (str(physical.major) if physical.major else "")
    return Head(source_version=version, dumped_at=physical.stopped_at or physical.started_at)


def digest_of(physical: Physical) -> str:
    """SHA-256 of its manifest, which has the checksums of its files.

    Where it has none it is that of what tells it from others: server, set, begin and end.
    """
    digest = hashlib.sha256()
    if manifest := physical.newest.manifest:
        with manifest.open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    else:
        told_by = (physical.system, physical.name, physical.start_lsn, physical.stop_lsn)
        digest.update("\0".join(map(str, told_by)).encode())
    return digest.hexdigest()

"""The histories of timelines in an archive, read and checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from restore_drill.backups.physical.wal_names import HISTORY
from restore_drill.core.errors import BackupFault
from restore_drill.recovery.archives.copying import damaged
from restore_drill.recovery.holes import Switch, switches_in
from restore_drill.recovery.model import Archive


def histories_of(
    archive: Archive, names: Collection[str]
) -> tuple[Mapping[int, Sequence[Switch]], list[BackupFault]]:
    """Histories of the timelines in `archive`, and a fault for each that is damaged."""
    found: dict[int, Sequence[Switch]] = {}
    faults: list[BackupFault] = []
    with TemporaryDirectory(prefix="restore-drill-wal-") as folder:
        for name in filter(HISTORY.fullmatch, names):
            try:
                found[int(name[:8], 16)] = read_history(archive, name, Path(folder) / name)
            except BackupFault as error:
                faults.append(error)
    return found, faults


def read_history(archive: Archive, name: str, to: Path) -> list[Switch]:
    """Timelines before that of the history `name`; BackupFault where it is damaged."""
    if not archive.fetch(name, to):
        raise damaged(name, archive.words, "it was listed, and is not there")
    try:
        return switches_in(to.read_bytes(), int(name[:8], 16))
    except ValueError as error:
        raise damaged(name, archive.words, str(error)) from None

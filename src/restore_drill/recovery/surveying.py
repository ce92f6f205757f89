"""What an archive holds for the recovery of one backup: its names, and its histories read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.wal_names import HISTORY, Segment, segment_of
from restore_drill.core.errors import BackupFault
from restore_drill.core.remedies import remedy_for
from restore_drill.recovery.archives.copying import damaged
from restore_drill.recovery.holes import Survey, Switch, survey, switches_in
from restore_drill.recovery.model import LATEST, Archive


def survey_of(archive: Archive, physical: Physical, timeline: str = LATEST) -> Survey:
    """What `archive` holds from where `physical` needs it, along `timeline`.

    BackupFault where a history is damaged, or `timeline` does not lead on from the backup;
    CouldNotRun where the archive cannot be read.
    """
    names = archive.names()
    histories, faults = histories_of(archive, names)
    if faults:
        raise faults[0]
    try:
        return survey(names, first_needed(physical), physical.segment_size, histories, timeline)
    except ValueError as error:
        raise BackupFault(
            f"no WAL leads on from the backup: {error}",
            checked=[archive.words],
            remedy=remedy_for("archive", "no_way"),
        ) from None


def first_needed(physical: Physical) -> Segment:
    """The first segment that an archive must have: behind those that lie in the backup itself.

    A backup of a primary ends with its last segment; on a standby nobody ends one.
    """
    size = physical.segment_size
    if physical.has_wal and physical.stop_lsn:
        last = (physical.stop_lsn - 1) // size
        return Segment(physical.timeline, last if physical.from_standby else last + 1)
    named = segment_of(physical.first_segment, size) if physical.first_segment else None
    return named or Segment(physical.timeline, (physical.start_lsn or 0) // size)


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

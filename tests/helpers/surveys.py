"""What an archive holds for a backup, as a recovery to its newest WAL would need it."""

from __future__ import annotations

from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.wal_names import Segment, segment_of
from restore_drill.core.errors import BackupFault
from restore_drill.recovery.histories import histories_of
from restore_drill.recovery.holes import Survey, survey
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

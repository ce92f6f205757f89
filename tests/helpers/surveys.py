"""What an archive holds for a backup, as a recovery to its newest WAL would need it."""

from __future__ import annotations

from restore_drill.backups.physical.model import Physical
from restore_drill.core.errors import BackupFault
from restore_drill.recovery.histories import histories_of
from restore_drill.recovery.holes import Survey, survey
from restore_drill.recovery.model import LATEST, Archive
from restore_drill.recovery.needed import first_needed


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

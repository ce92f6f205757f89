"""What of the WAL a backup needs from an archive, and which gaps that has there: by names alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.wal_names import HISTORY, SEGMENT, Segment, segment_of
from restore_drill.core.errors import UsageError
from restore_drill.recovery.histories import histories_of
from restore_drill.recovery.holes import Survey, survey
from restore_drill.recovery.model import CURRENT, Archive


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


def surveyed(
    physical: Physical, archive: Archive, names: Collection[str], timeline: str
) -> Survey | None:
    """What `names` of `archive` hold for a recovery along `timeline`; None where it has no way.

    Histories are read where another timeline is to be followed.
    """
    histories = {} if timeline == CURRENT else histories_of(archive, names)[0]
    try:
        return survey(names, first_needed(physical), physical.segment_size, histories, timeline)
    except ValueError:
        return None


def check_timeline(physical: Physical, archive: Archive | None, timeline: str) -> None:
    """UsageError where nothing is there of the `timeline` that was asked for.

    Where its WAL is there and its history is not, that is for a drill to say: it is a loss.
    """
    if not timeline.isdigit():
        return
    there = {physical.timeline, *(timelines_in(archive.names()) if archive else ())}
    if int(timeline) in there:
        return
    where = archive.words if archive else "the backup"
    rest = "" if archive else ", and no WAL archive is known: name one with --wal"
    numbers = f"timeline{'s' * (len(there) > 1)} {', '.join(map(str, sorted(there)))}"
    raise UsageError(f"--timeline {timeline} is not there: {where} has {numbers}{rest}")


def timelines_in(names: Collection[str]) -> Iterator[int]:
    """Timelines of the segments and histories in `names`."""
    for name in names:
        if SEGMENT.fullmatch(name) or HISTORY.fullmatch(name):
            yield int(name[:8], 16)

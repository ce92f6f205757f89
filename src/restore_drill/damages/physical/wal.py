"""Damages to archived WAL: the backup is recovered once more, from an archive that has them.

The archive is not copied: what it gives is changed on its way. The recovery takes the room and the
time of the drill's own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.wal_names import SEGMENT, segment_name
from restore_drill.damages.physical.model import WAL, Untried, WalDamage
from restore_drill.recovery.model import LATEST, Archive, Goal, Recovered
from restore_drill.recovery.recover import recover
from restore_drill.recovery.shell import make_shell

IN_A_RECORD = slice(56, 64)
"""Bytes of a segment that are some record's: its header ends at 40, and 7 bytes of padding can
lie between two records, not 8."""


@dataclass(frozen=True)
class Without:
    """`archive`, in which the segment `name` is missing."""

    archive: Archive
    name: str

    @property
    def words(self) -> str:
        """Where it is, for a message."""
        return self.archive.words

    def names(self) -> Sequence[str]:
        """Names of all that it has."""
        return [each for each in self.archive.names() if each != self.name]

    def witnesses(self) -> Collection[str]:
        """Segments that it once had."""
        return self.archive.witnesses()

    def fetch(self, name: str, to: Path) -> bool:
        """Write the file `name` to `to`; False where there is none."""
        return name != self.name and self.archive.fetch(name, to)

    def stop(self) -> None:
        """End the fetches that are under way."""
        self.archive.stop()


@dataclass(frozen=True)
class Changed(Without):
    """`archive`, in which the segment `name` holds other bytes."""

    def names(self) -> Sequence[str]:
        """Names of all that it has."""
        return self.archive.names()

    def fetch(self, name: str, to: Path) -> bool:
        """Write the file `name` to `to`; False where there is none."""
        found = self.archive.fetch(name, to)
        if found and name == self.name:
            data = bytearray(to.read_bytes())
            data[IN_A_RECORD] = bytes(each ^ 0xFF for each in data[IN_A_RECORD])
            to.write_bytes(data)
        return found


def victim_of(recovered: Recovered, physical: Physical) -> str:
    """The segment to damage: one behind the end of the backup that recovery has read.

    An archive that ends one segment earlier is a shorter one, and no damaged one: the last one of
    a recovery to the newest WAL is not chosen.
    """
    if not recovered.evidence.had_archive:
        raise Untried("there is no archive of WAL")
    size, end = physical.segment_size, physical.stop_lsn or physical.start_lsn or 0
    last_inside = segment_name(physical.timeline, max(end - 1, 0) // size * size, size)[8:]
    asked = [each.name for each in recovered.evidence.asked if each.found]
    segments = [name for name in asked if SEGMENT.fullmatch(name)]
    if recovered.goal.how == LATEST:
        segments = segments[:-1]
    found = [name for name in segments if name[8:] > last_inside]
    if not found:
        raise Untried("recovery read no segment of the archive that others follow")
    return found[0]


@contextmanager
def recovered_from(archive: Archive, physical: Physical, goal: Goal) -> Iterator[Recovered]:
    """A second server, recovered from `archive`; it is removed at the end."""
    with make_shell(physical, silent) as shell:
        found = recover(shell, physical, goal, archive, silent, silent)
        try:
            yield found
        finally:
            found.server.stop()


def silent(_: str) -> None:
    """Say nothing: the drill has said it all."""


LOST = WalDamage("lost_segment", "a WAL segment of the archive is missing", WAL, Without)
CHANGED = WalDamage("changed_segment", "bytes in a WAL segment have changed", WAL, Changed)
WAL_DAMAGES = (LOST, CHANGED)

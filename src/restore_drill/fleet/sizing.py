"""What a drill needs of a worker, estimated from its backup, which is not fetched for this."""

from __future__ import annotations

from restore_drill.backups.physical.model import Physical
from restore_drill.backups.sizes import PACKED, sql_bytes
from restore_drill.config.environment import variables_set
from restore_drill.config.remote import mirror_around
from restore_drill.config.settings import Settings
from restore_drill.core.errors import DrillError
from restore_drill.fleet.known import Known
from restore_drill.fleet.model import Needs
from restore_drill.recovery.shell import room_of
from restore_drill.selection.candidate import Candidate, as_backup
from restore_drill.selection.in_full import in_full, named_repository
from restore_drill.servers.place import GROWTH, MINIMUM_ROOM

PLAIN = ".sql"
"""How the name of a dump ends that surely is not compressed."""
USUAL = Needs(disk=2_000_000_000, memory=600_000_000, cores=1)
"""Needs of a drill of whose backup nothing is known."""
SERVER = 300_000_000
"""Bytes of memory of a server that restores, and of the drill beside it."""
IN_MEMORY = 1_000_000_000
"""Bytes of data that are counted as memory: larger ones count as disk alone."""
LARGE = 1_000_000_000
"""Bytes of SQL from which on two cores are worth having."""
LAST = 3
"""So many of the last drills say how long the next one takes."""


def needs_of(known: Known) -> Needs:
    """What the drill of a database needs: what the inventory says, and estimates for the rest.

    The largest of several series counts: they are drilled one after another. Where no backup is
    known it is USUAL: the drill itself says what is wrong.
    """
    own = known.database.needs
    with variables_set(known.database.environment):  # a program may be asked, which reads them
        found = [estimated(each, known.settings) for each in known.newest if known.settings]
    guess = max(found, key=lambda each: each.disk or 0, default=USUAL)
    return Needs(
        disk=guess.disk if own.disk is None else own.disk,
        memory=guess.memory if own.memory is None else own.memory,
        cores=guess.cores if own.cores is None else own.cores,
    )


def within(needs: Needs, own: Needs, cores: int, memory: int) -> Needs:
    """`needs` of which the estimates fit a machine of so many `cores` and bytes of `memory`.

    What the inventory asks for itself (`own`) stays: a drill that lacks it is refused. With less
    memory than was estimated its data live on the disk.
    """
    return Needs(
        disk=needs.disk,
        memory=min(needs.memory or 0, memory) if own.memory is None else needs.memory,
        cores=min(needs.cores or 1, cores) if own.cores is None else needs.cores,
    )


def estimated(backup: Candidate, settings: Settings) -> Needs:
    """Needs of the drill of `backup`: bytes that are fetched, and what the restore takes."""
    fetched = backup.size if mirror_around(backup.path) else 0
    physical = None if fetched else physical_at(backup, settings)
    data = physical.size if physical else unpacked(backup, is_elsewhere=bool(fetched))
    room = room_of(physical) if physical else GROWTH * data
    in_memory = GROWTH * data if GROWTH * data <= IN_MEMORY else 0
    return Needs(
        disk=fetched + room + MINIMUM_ROOM,
        memory=SERVER + in_memory,
        cores=1 if data < LARGE else 2,
    )


def unpacked(backup: Candidate, *, is_elsewhere: bool) -> int:
    """Bytes of SQL in `backup`, about; what lies elsewhere may be compressed, whatever its name."""
    if is_elsewhere and not backup.kind.format:
        is_plain = backup.path.suffix.lower() == PLAIN
        return backup.size * (1 if is_plain else PACKED)
    return sql_bytes(as_backup(backup))


def physical_at(backup: Candidate, settings: Settings) -> Physical | None:
    """What a physical `backup` of this machine holds; None of another one, or where it is unread.

    That reads its manifest, and no more.
    """
    if not backup.is_physical:
        return None
    try:
        if settings.backup is None and settings.backup_path is None:
            return named_repository(settings).physical
        return in_full(backup, as_backup(backup), settings).physical
    except (DrillError, OSError, ValueError):
        return None


def seconds_of(known: Known) -> float | None:
    """Seconds that the drill took before, None where none is noted: the mean of the last ones."""
    took = [each.total for each in known.drills if each.total and each.has_passed][-LAST:]
    return sum(took) / len(took) if took else None

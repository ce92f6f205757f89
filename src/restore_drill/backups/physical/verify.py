"""Whether a physical backup is whole, as far as its files show before a server is started."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from restore_drill.backups.physical.barman import DATA
from restore_drill.backups.physical.by_manifest import check_manifest, check_own_checksum
from restore_drill.backups.physical.chains import label_at, missing_before
from restore_drill.backups.physical.control import CONTROL, ENOUGH, control_of
from restore_drill.backups.physical.files import LINKS, WAL_DIR, folders_in, head_of
from restore_drill.backups.physical.findings import Findings, Verified
from restore_drill.backups.physical.in_tars import BASE_TAR, WAL_TAR, tars_in
from restore_drill.backups.physical.manifests import manifest_at
from restore_drill.backups.physical.model import (
    BARMAN,
    CHAIN,
    COLD,
    PGBACKREST,
    PLAIN,
    TAR,
    Member,
    Physical,
    show_lsn,
)
from restore_drill.backups.physical.of_repositories import check_barman, check_repository
from restore_drill.backups.physical.wal_inside import check_row, check_wal, needed_segments
from restore_drill.backups.physical.whole_tars import check_tars
from restore_drill.core.access import cannot_read

ATOMIC = "whether the copy, and its tablespaces, are of one moment"
OLD_MANIFEST = "each file against the manifest that lies there"
ITS_END = "where the WAL in the snapshot ends: that cannot be told from damage"
IF_ATOMIC = (
    "If it is one atomic snapshot of all its file systems (ZFS, LVM, a cloud's), say so in the "
    "criteria file: atomic_snapshot = true under [backup]"
)

__all__ = ["Verified", "verify"]


def verify(physical: Physical, folder: Path, progress: Callable[[int], None]) -> Verified:
    """Read `physical` to its end, and compare it with what it says of itself.

    `folder` takes private files, `progress` hears of the bytes read. CouldNotRun where our own
    means fail.
    """
    found = Findings(folder, progress)
    check_label(physical, found)
    if physical.kind == PGBACKREST:
        check_repository(physical, found)
        return found.verified
    check_chain(physical, found)
    try:
        for member in physical.members:
            check_member(physical, member, found)
    except OSError as error:
        raise cannot_read("the backup", Path(error.filename or physical.path), error) from None
    if physical.kind == BARMAN:
        check_barman(physical, found)
    return found.verified


def check_label(physical: Physical, found: Findings) -> None:
    """Without a label recovery begins at the last checkpoint, which may be too late."""
    newest = physical.newest
    if newest.form == TAR and newest.path.is_dir() and BASE_TAR not in tars_in(newest.path):
        found.fault(f"the tar of the server's files is missing: {BASE_TAR}.tar")
    elif physical.is_atomic:
        found.tell(
            ATOMIC, "the criteria file says so (atomic_snapshot): nothing in the files can prove it"
        )
        found.tell(ITS_END, "the server of a snapshot was still writing there")
    elif not physical.has_label and not physical.shut_down:
        found.fault(
            "it has no backup_label, and its server was not shut down: recovery would begin at the "
            "checkpoint that pg_control names, and changes that were committed before it can be "
            "missing without any check noticing"
            + (f". {IF_ATOMIC}" if physical.kind == COLD else "")
        )
    if physical.kind == COLD and not physical.has_wal and not found.faults:
        found.fault(f"the WAL segment of its last checkpoint is missing: {physical.first_segment}")


def check_chain(physical: Physical, found: Findings) -> None:
    """An increment needs all that it is the increment of."""
    if physical.kind != CHAIN:
        return
    label = missing_before(physical.members[0])
    if label is not None and label.incremental_from is not None:
        found.fault(
            f"{physical.members[0].path.name} is an incremental backup, and the one that it is the "
            f"increment of is missing: it begins at LSN {show_lsn(label.incremental_from)}, and "
            "none that lies beside it does"
        )


def check_member(physical: Physical, member: Member, found: Findings) -> None:
    """Check one backup of a chain, or the only one."""
    where = f"{member.path.name}: " if physical.kind == CHAIN else ""
    if not member.path.is_dir():
        return
    check_own_checksum(member, where, found)
    if physical.has_old_manifest:
        found.tell(OLD_MANIFEST, "it is of an earlier backup, from which the server was made")
    is_newest = member is physical.newest
    wal = member.path / WAL_DIR
    is_closed = True
    if member.form == TAR:
        wal = check_tars(member, where, found, frozenset(needed_segments(physical)))
    elif member.form == PLAIN:
        is_closed = check_links(member, where, found)
    check_agreement(physical, member, where, found)
    if not physical.major:
        found.fault(f"{where}its PG_VERSION is missing or damaged: it names no version")
    elif is_closed:
        check_manifest(member, physical.major, where, found)
    has_wal = physical.has_wal or (member.form == TAR and WAL_TAR in tars_in(member.path))
    if is_newest and has_wal and not found.faults:
        (check_row if physical.is_atomic else check_wal)(physical, wal, found)


def check_links(member: Member, where: str, found: Findings) -> bool:
    """Note the links of tablespaces that lead to none; of Barman's they lie beside the data.

    False where one leads elsewhere: whoever follows it may read the whole disk.
    """
    links, is_closed = member.path / LINKS, True
    for each in sorted(links.iterdir()) if links.is_dir() else ():
        beside = member.path.parent / each.name
        if not each.is_symlink() or (member.path.name == DATA and beside.is_dir()):
            continue
        goal = f"{where}its tablespace {each.name} is missing: {LINKS}/{each.name} leads to "
        if not os.path.lexists(each.readlink()) and not each.exists():
            found.fault(f"{goal}{each.readlink()}, where nothing is")
        elif not folders_in(each, "PG_"):
            found.fault(f"{goal}{each.readlink()}, which holds no tablespace")
            is_closed = False
    return is_closed


def check_agreement(physical: Physical, member: Member, where: str, found: Findings) -> None:
    """Compare what label, pg_control and manifest say of the server and of where it begins."""
    manifest = manifest_at(member.manifest) if member.manifest else None
    control = control_of(head_of(member.path / CONTROL, ENOUGH)) if member.form == PLAIN else None
    if control is None and member.form == PLAIN:
        found.fault(f"{where}its {CONTROL} is missing or damaged")
    systems = {
        "pg_control": control.system if control else "",
        "the manifest": manifest.system if manifest else "",
        "the rest of the backup": physical.system,
    }
    if len(set(systems.values()) - {""}) > 1:
        said = ", ".join(f"{of} {system}" for of, system in systems.items() if system)
        found.fault(f"{where}its parts are of several servers, by their system identifiers: {said}")
    label, _ = label_at(member.path)
    if physical.has_label and label.start_lsn is None:
        found.fault(f"{where}its backup_label does not say where recovery begins: it is damaged")
    begin = manifest.start_lsn if manifest else None
    if begin is not None and label.start_lsn is not None and begin != label.start_lsn:
        found.fault(
            f"{where}its backup_label begins at {show_lsn(label.start_lsn)}, its manifest at "
            f"{show_lsn(begin)}: they are of different backups"
        )
    if manifest is not None and not manifest.ranges:
        found.fault(f"{where}its manifest does not say which WAL it needs: it is cut or damaged")

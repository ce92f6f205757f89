"""The tars of a base backup, read to their very ends; the WAL in them is taken out."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from restore_drill.backups.physical.files import WAL_DIR
from restore_drill.backups.physical.findings import Findings
from restore_drill.backups.physical.in_tars import WAL_TAR, compression_at, tars_in
from restore_drill.backups.physical.model import Member
from restore_drill.backups.physical.tar_reader import FILE, FOLDER, LINK, Entry, TarFault, TarReader
from restore_drill.backups.physical.wal_names import SEGMENT
from restore_drill.backups.streams import READ_ERRORS, open_plain
from restore_drill.core.access import cannot_read, nearest_closed

PIECE = 1 << 20
UNUSUAL = 20
"""So many members of a kind that no base backup has are named."""


def check_tars(member: Member, where: str, found: Findings, needed: frozenset[str]) -> Path:
    """Read each tar of `member` to its end; the folder with the WAL segments that are `needed`."""
    wal = found.place("wal")
    for name, path in sorted(tars_in(member.path).items()):
        try:
            read_whole(name, path, where, found, needed, wal)
        except TarFault as error:
            found.fault(f"{where}{path.name}: {error}")
        except PermissionError as error:
            raise cannot_read("the backup", nearest_closed(path) or path, error) from None
        except READ_ERRORS as error:
            found.fault(f"{where}{path.name} cannot be decompressed to its end: {error}")
    return wal


def read_whole(
    name: str, path: Path, where: str, found: Findings, needed: frozenset[str], wal: Path
) -> None:
    """Read one tar; note what in it could not have been taken by pg_basebackup."""
    strange: list[str] = []
    with open_plain(path, compression_at(path)) as stream:
        reader = TarReader(stream)
        for entry in reader:
            strange += why_strange(entry)
            is_wal = PurePosixPath(entry.name).parent.name == WAL_DIR or name == WAL_TAR
            base = PurePosixPath(entry.name).name
            if is_wal and base in needed and SEGMENT.fullmatch(base):
                take_out(reader, wal / base, found)
            while data := reader.read(PIECE):
                found.read(len(data))
    found.faults_of(f"{where}{path.name}: ", strange[:UNUSUAL])


def take_out(reader: TarReader, to: Path, found: Findings) -> None:
    """Write the current member to the file `to`."""
    with to.open("wb") as file:
        while data := reader.read(PIECE):
            found.read(len(data))
            file.write(data)


def why_strange(entry: Entry) -> list[str]:
    """Why no base backup has such a member; nothing where one may."""
    path = PurePosixPath(entry.name)
    if path.is_absolute() or ".." in path.parts:
        return [f"the member {entry.name} leads out of the backup"]
    if entry.kind not in (FILE, FOLDER, LINK):
        return [f"the member {entry.name} is a {entry.kind}, which no base backup holds"]
    return []

"""The tars of a base backup are unpacked: nothing that they say leads out of the drill's folder."""

from __future__ import annotations

import os
from pathlib import Path

from restore_drill.backups.physical.files import LINKS, WAL_DIR
from restore_drill.backups.physical.in_tars import BASE_TAR, WAL_TAR, compression_at, tars_in
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.tar_reader import FILE, FOLDER, LINK, Entry, TarReader
from restore_drill.backups.streams import READ_ERRORS, open_plain
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.recovery.copies.files import CLOSED
from restore_drill.recovery.copies.listing import (
    EMPTY,
    LEFT_OUT,
    TEMPORARY,
    is_needed,
)
from restore_drill.recovery.copies.room import ask_for
from restore_drill.recovery.copies.work import Work, Writing, damaged, refused

PIECE = 1 << 20


def unpack_tars(physical: Physical, work: Work) -> None:
    """Unpack base.tar, the tars of the tablespaces and pg_wal.tar of `physical`."""
    work.doing = "unpacking the backup"
    work.total = physical.size + physical.wal_size
    ask_for(work.total, work)
    tars = tars_in(physical.newest.path)
    spaces = {name: path for name, path in tars.items() if name not in (BASE_TAR, WAL_TAR)}
    base = Unpacking(tars[BASE_TAR], work.data, work)
    base.run()
    named = {each.oid for each in physical.tablespaces if each.location.startswith("/")}
    for oid in sorted(named | base.spaces):
        if str(oid) not in spaces:
            raise damaged(f"the backup lacks tablespace {oid}", f"there is no {oid}.tar")
    if WAL_TAR in tars:
        Unpacking(tars[WAL_TAR], work.data / WAL_DIR, work, WAL_DIR).run()
    if spaces:
        work.make_folder(work.tablespaces)
        base.make(f"{work.data}/{LINKS}")
    for name, path in spaces.items():
        place = work.link_tablespace(int(name))
        Unpacking(path, place, work, "base").run()


class Unpacking:
    """A tar that is unpacked into `folder`: of the `part` of a data directory, empty for its top.

    `spaces` are the OIDs of the links in pg_tblspc that it holds.
    """

    def __init__(self, tar: Path, folder: Path, work: Work, part: str = "") -> None:
        """Nothing is read yet."""
        self.tar, self.work, self.part = tar, work, part
        self.folder = str(folder)
        self.made: set[str] = set()
        self.spaces: set[int] = set()

    def run(self) -> None:
        """Unpack all of it; BackupFault where it is damaged, or holds what no server writes."""
        try:
            self.make(self.folder)
            with open_plain(self.tar, compression_at(self.tar)) as stream:
                reader = TarReader(stream)
                for entry in reader:
                    self.take(entry, reader)
        except READ_ERRORS as error:
            if isinstance(error, OSError) and error.errno in CLOSED:
                raise CouldNotRun(
                    f"{self.tar} cannot be read: {error.strerror}",
                    remedy=remedy_for("machine", "unreadable"),
                ) from None
            raise damaged(
                f"{self.tar} cannot be read to its end: it is damaged or cut short", str(error)
            ) from None

    def take(self, entry: Entry, reader: TarReader) -> None:
        """Unpack one member, leave it out, or refuse it."""
        parts = self.parts_of(entry)
        if not parts or self.is_left_out(parts):
            return
        top = self.part or parts[0]
        target = "/".join((self.folder, *parts))
        if entry.kind == FOLDER:
            self.make(target)
        elif entry.kind == FILE:
            self.make(target.rpartition("/")[0])
            self.write(target, reader)
        elif entry.kind == LINK and top == LINKS and len(parts) == 2 and parts[1].isdigit():
            self.spaces.add(int(parts[1]))
        elif is_needed(top):
            what = f"a link to {entry.link}" if entry.link else entry.kind
            raise refused(f"{entry.name} in {self.tar.name} is no plain file", f"it is {what}")
        else:
            why = "a link, or no plain file; the drill's server does without it"
            self.work.told.append((f"{entry.name} in {self.tar.name}", why))

    def parts_of(self, entry: Entry) -> list[str]:
        """The parts of the name of `entry`; BackupFault where it leads out of the folder."""
        parts = [part for part in entry.name.split("/") if part not in ("", ".")]
        if entry.name.startswith("/") or ".." in parts:
            raise refused(
                f"{self.tar.name} holds a member that would be written elsewhere",
                f"its name is {entry.name}",
            )
        return parts

    def is_left_out(self, parts: list[str]) -> bool:
        """Whether no server needs the member."""
        top = self.part or parts[0]
        if not self.part and len(parts) == 1 and parts[0] in LEFT_OUT:
            return True
        is_emptied = top in EMPTY and len(parts) > 1
        return is_emptied or any(part.startswith(TEMPORARY) for part in parts)

    def make(self, folder: str) -> None:
        """Make a folder, and those above it, unless they are there."""
        if folder in self.made or folder == str(self.work.data):
            return
        if not Path(folder).is_dir():
            if folder != self.folder:
                self.make(folder.rpartition("/")[0])
            self.work.make_folder(folder)
        self.made.add(folder)

    def write(self, target: str, reader: TarReader) -> None:
        """Write the data of the current member to the new file `target`."""
        copy = self.work.make_file(target)
        try:
            while data := reader.read(PIECE):
                with Writing(self.work):
                    written = 0
                    while written < len(data):
                        written += os.write(copy, data[written:])
                self.work.count(len(data))
        finally:
            os.close(copy)

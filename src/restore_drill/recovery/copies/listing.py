"""What of a data directory is copied: its folders and files, and what its links stand for."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.files import LINKS, WAL_DIR
from restore_drill.recovery.copies.files import unreadable
from restore_drill.recovery.copies.work import refused

LEFT_OUT = frozenset(
    ("postmaster.pid", "postmaster.opts", "backup_manifest", "log", "pg_log", "lost+found")
)
"""At the top of a data directory: of no use to another server."""
EMPTY = frozenset(
    ("pg_replslot", "pg_stat_tmp", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots",
     "pg_subtrans")
)  # fmt: skip
"""Folders whose contents pg_basebackup leaves out too: they are of one run of a server."""
TEMPORARY = ("pgsql_tmp", "pg_internal.init")
FREE = frozenset(("pg_hba.conf", "pg_ident.conf"))
"""Files that the drill's server does not read, though their names begin as those that it does."""
TAKEN = ("base", "global", "pg_", "PG_VERSION", "backup_label", "tablespace_map")
"""How the names begin of all that a server needs of a data directory."""


class Place(NamedTuple):
    """A folder that is to be listed: it belongs to the `part` at the top, empty for the top."""

    source: str
    target: str
    part: str = ""


@dataclass
class Folder:
    """A folder to be made, and the plain files in it to be copied."""

    source: str
    target: str
    names: list[str] = field(default_factory=list)


@dataclass
class Listing:
    """What is copied of a data directory; `root` is its path without links, `size` its bytes.

    `spaces` are the links of tablespaces by their OIDs, `wal` the link of pg_wal, `links` the files
    that other links stand for, `told` what is left out and why.
    """

    root: str
    folders: list[Folder] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    spaces: dict[int, str] = field(default_factory=dict)
    in_place: set[int] = field(default_factory=set)
    wal: str = ""
    told: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    linked: set[str] = field(default_factory=set)

    def add(self, place: Place) -> None:
        """List a folder and all below it."""
        waiting = [place]
        while waiting:
            place = waiting.pop()
            folder = Folder(place.source, place.target)
            self.folders.append(folder)
            for entry in entries_of(place.source):
                is_left = not place.part and entry.name in LEFT_OUT
                if not is_left and not entry.name.startswith(TEMPORARY):
                    waiting += self.add_entry(entry, folder, place.part)

    def add_empty(self, source: str, target: str) -> None:
        """List a folder without what lies in it."""
        self.folders.append(Folder(source, target))

    def add_entry(self, entry: os.DirEntry[str], folder: Folder, above: str) -> list[Place]:
        """List one entry of `folder`, which belongs to the part `above`; a folder to go on with."""
        part = above or entry.name
        place = Place(entry.path, folder.target + "/" + entry.name, part)
        if above in EMPTY or self.is_for_later(entry, above):
            return []
        if entry.is_symlink():
            return self.add_link(place)
        if entry.is_dir():
            if above == LINKS and entry.name.isdigit():
                self.in_place.add(int(entry.name))
            return [place]
        if entry.is_file():
            folder.names.append(entry.name)
            self.size += entry.stat(follow_symlinks=False).st_size
        elif is_needed(part):
            raise refused(f"{entry.path} is no plain file", "it is a pipe, a socket or a device")
        return []

    def is_for_later(self, entry: os.DirEntry[str], above: str) -> bool:
        """Whether it is the link of pg_wal or of a tablespace, which may lead elsewhere."""
        if not entry.is_symlink():
            return False
        if not above and entry.name == WAL_DIR:
            self.wal = entry.path
            return True
        if above == LINKS and entry.path == self.root + "/" + LINKS + "/" + entry.name:
            if entry.name.isdigit():
                self.spaces[int(entry.name)] = entry.path
            return entry.name.isdigit()
        return False

    def add_link(self, place: Place) -> list[Place]:
        """List what a link stands for, where that lies in the backup; else refuse or leave it."""
        real = os.path.realpath(place.source)
        name, to = place.source, str(Path(place.source).readlink())
        if not is_below(real, self.root) or not os.path.lexists(real):
            why = f"it is a link to {to}, which is not part of the backup"
            if is_needed(place.part):
                raise refused(f"{name} is not in the backup", why)
            self.told.append((name, f"{why}; the drill's server does without it"))
            return []
        found = os.lstat(real)
        if stat.S_ISREG(found.st_mode):
            self.links.append((real, place.target))
            self.size += found.st_size
            return []
        if not stat.S_ISDIR(found.st_mode) or real in self.linked:
            raise refused(f"{name} cannot be copied", f"it is a link to {to}, round in a circle")
        self.linked.add(real)
        return [place._replace(source=real)]


def entries_of(place: str) -> list[os.DirEntry[str]]:
    """What lies in the folder `place`, sorted."""
    try:
        with os.scandir(place) as entries:
            return sorted(entries, key=lambda each: each.name)
    except OSError as error:
        raise unreadable(place, error) from None


def is_below(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies in it; both without links."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def is_needed(part: str) -> bool:
    """Whether a server needs what lies at the top of a data directory under the name `part`."""
    return part.startswith(TAKEN) and part not in FREE

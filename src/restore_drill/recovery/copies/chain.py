"""A chain of incremental backups becomes one data directory: pg_combinebackup (17 and newer)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from restore_drill.backups.physical.files import LINKS, WAL_DIR, sizes
from restore_drill.backups.physical.model import TAR, Member, Physical
from restore_drill.core.errors import BackupFault
from restore_drill.core.remedies import remedy_for
from restore_drill.recovery.copies.beside import copy_all
from restore_drill.recovery.copies.folder import add_wal
from restore_drill.recovery.copies.listing import Listing
from restore_drill.recovery.copies.room import ask_for
from restore_drill.recovery.copies.tars import unpack_tars
from restore_drill.recovery.copies.tools import own_all, run_tool, said
from restore_drill.recovery.copies.work import Work
from restore_drill.servers import untrusted
from restore_drill.servers.binaries import Binaries

MEMBERS = "members"
"""Folder beside the data directory in which members that come as tars are unpacked."""


def combine(physical: Physical, work: Work, binaries: Binaries) -> None:
    """Combine the members of `physical` by the tool of its very major.

    It reads a damaged member without a word: each must have been compared with its manifest.
    """
    work.doing = "combining the incremental backups"
    work.total = physical.size + physical.wal_size
    has_tars = any(each.form == TAR for each in physical.members)
    ask_for(work.total * 2 if has_tars else work.total, work)
    place = work.data.parent / MEMBERS
    try:
        if has_tars:
            work.make_folder(place)
        folders = [
            unpacked(physical, each, work, place / str(number)) if each.form == TAR else each.path
            for number, each in enumerate(physical.members)
        ]
        run_combine(folders, work, binaries)
    finally:
        untrusted.remove_tree(place)
    own_all(work)
    work.done = sum(sizes(work.data))


def unpacked(physical: Physical, member: Member, work: Work, place: Path) -> Path:
    """The data directory of a member that was unpacked into the new folder `place`."""
    work.make_folder(place)
    data = place / "data"
    work.make_folder(data)
    own = replace(work, data=data, progress=work.progress)
    spaces = physical.tablespaces if member == physical.newest else ()
    unpack_tars(replace(physical, members=(member,), tablespaces=spaces), own)
    return data


def run_combine(folders: list[Path], work: Work, binaries: Binaries) -> None:
    """Combine the data directories in `folders`, the full backup first, into that of `work`."""
    newest = folders[-1].resolve()
    command = [binaries.tool("pg_combinebackup"), "--no-sync", "--no-manifest"]
    command += how(folders, work)
    for link in links_in(newest / LINKS):
        place = work.tablespaces / link.name
        command += ["-T", f"{escaped(link.readlink())}={escaped(place)}"]
        work.tablespaces.mkdir(mode=0o700, exist_ok=True)
    done = run_tool([*command, "-o", str(work.data), *map(str, folders)], work)
    if done.code:
        raise BackupFault(
            "the incremental backups cannot be combined",
            checked=said(done),
            remedy=remedy_for("copying", "chain"),
        )
    if (newest / WAL_DIR).is_symlink():  # which it leaves out
        untrusted.remove_tree(work.data / WAL_DIR)
        listing = Listing(str(newest), wal=str(newest / WAL_DIR))
        add_wal(listing, work)
        copy_all(listing, work)


def how(folders: list[Path], work: Work) -> list[str]:
    """Option by which whole files are copied by the kernel: within one file system alone."""
    devices = {each.stat().st_dev for each in (*folders, work.data)}
    is_one = len(devices) == 1 and sys.platform == "linux"
    return ["--copy-file-range"] if is_one else []


def links_in(folder: Path) -> list[Path]:
    """Links of tablespaces in `folder`."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(each for each in found if each.name.isdigit() and each.is_symlink())


def escaped(path: Path) -> str:
    """`path` as pg_combinebackup reads it: an equals sign would end it."""
    return str(path).replace("=", "\\=")

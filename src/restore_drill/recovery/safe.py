"""A copied data directory is made safe to start: nothing in it acts on the source, or leads there.

The server is started with the drill's own configuration; this takes away what no configuration
holds back.
"""

from __future__ import annotations

import os
from pathlib import Path

from restore_drill.backups.physical.files import WAL_DIR, segments_in
from restore_drill.core.errors import BackupFault
from restore_drill.recovery.copies.listing import EMPTY, is_below
from restore_drill.recovery.copies.work import TABLESPACES, refused
from restore_drill.recovery.new_tablespaces import keep_inside
from restore_drill.servers import untrusted
from restore_drill.servers.launcher import choose_launcher

REMOVED = (
    "postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "recovery.conf",
    "recovery.done", "backup_label.old", "tablespace_map.old", "tablespace_map",
    "current_logfiles",
)  # fmt: skip
"""Files that would make the server a standby, end it (recovery.conf, since 12), or lead elsewhere.

The server makes the links in pg_tblspc anew by tablespace_map, as they were at the source; those
that stand there do as well.
"""
EMPTIED = "postgresql.auto.conf"
"""What stands in it wins over any configuration file that the server is given."""


def make_safe(data: Path) -> None:
    """Make the copy in `data` safe to start; BackupFault where a link in it leads elsewhere."""
    for name in (*REMOVED, EMPTIED):
        remove(data / name)
    auto = data / EMPTIED
    auto.touch(0o600)
    choose_launcher().own(auto)
    for folder in EMPTY:
        empty(data / folder)
    check_links(data)
    for each in segments_in(data / WAL_DIR):
        if (data / WAL_DIR / each).is_file():
            keep_inside(data / WAL_DIR / each)


def empty(folder: Path) -> None:
    """Remove what lies in `folder`, if it is there."""
    if folder.is_dir() and not folder.is_symlink():
        for each in folder.iterdir():
            remove(each)


def remove(path: Path) -> None:
    """Remove what lies at `path`, if anything does: no link is followed."""
    if path.is_dir() and not path.is_symlink():
        untrusted.remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def check_links(data: Path) -> None:
    """BackupFault for a link that leads out of the run directory, whatever copied it there."""
    run = os.path.realpath(data.parent)
    places = [str(each) for each in (data, data.parent / TABLESPACES) if each.is_dir()]
    while places:
        with os.scandir(places.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    places.append(entry.path)
                elif entry.is_symlink() and not is_below(os.path.realpath(entry.path), run):
                    raise leads_out(Path(entry.path), data)


def leads_out(path: Path, data: Path) -> BackupFault:
    """The error for a link out of the run directory."""
    name = os.path.relpath(path, data)
    return refused(f"{name} is not in the backup", f"it is a link to {path.readlink()}")

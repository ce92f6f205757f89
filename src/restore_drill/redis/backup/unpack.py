"""A backup of Redis in a tar archive, such as of a server's whole data directory."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from restore_drill.backups.choice import NotDrilled
from restore_drill.backups.model import Backup
from restore_drill.backups.streams import open_plain, outside_tar
from restore_drill.backups.wraps.tarred import members_in
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration, show_time
from restore_drill.redis.backup.header import HEAD_BYTES, header_in
from restore_drill.redis.backup.kinds import COMMAND, FOLDER, PART, TEMPORARY, is_manifest
from restore_drill.redis.backup.model import Placed
from restore_drill.redis.backup.place import AOF_NAME, PIECE, RDB_NAME, manifest_in, pour

LATER = 60.0
"""Seconds by which an RDB file that is saved at a shutdown may be newer than the commands."""


def unpacked(backup: Backup, folder: Path) -> Placed:
    """What the archive holds, by the content of its files: append-only files before an RDB file.

    A server that writes append-only files loads those alone: an RDB file beside them is told as not
    drilled. CouldNotRun where it holds the files of two servers.
    """
    inside = folder / FOLDER
    inside.mkdir(mode=0o700)
    found: dict[str, tarfile.TarInfo] = {}
    with open_plain(backup.path, outside_tar(backup.compression)) as packed:
        for member, read in members_in(packed):
            start = read.read(HEAD_BYTES)
            name = name_for(member.name, start)
            if not name:
                continue
            refuse_another(name, member, found)
            found[name] = member
            is_part = name not in (RDB_NAME, AOF_NAME)
            pour(read, (inside if is_part else folder) / name, folder, start)
        while packed.read(PIECE):  # to its end, where an encryption is checked
            pass
    return placed(folder, found)


def name_for(member: str, start: bytes) -> str:
    """Name by which a server finds the `member` that begins so; empty where it is none of its."""
    name = PurePosixPath(member).name
    if PART.fullmatch(name) or is_manifest(name, start):
        return name
    if TEMPORARY.fullmatch(name):
        return ""
    header = header_in(start)
    if header is not None:
        return AOF_NAME if header.is_aof_base else RDB_NAME
    return AOF_NAME if COMMAND.match(start) else ""


def refuse_another(name: str, member: tarfile.TarInfo, found: dict[str, tarfile.TarInfo]) -> None:
    """CouldNotRun where the `member` is of another server than those that were `found`."""
    other = found.get(name)
    if other is None and PART.fullmatch(name):
        around = PurePosixPath(member.name).parent
        parts = (each for each in found.values() if PART.fullmatch(PurePosixPath(each.name).name))
        other = next((each for each in parts if PurePosixPath(each.name).parent != around), None)
    if other is not None:
        raise CouldNotRun(
            f"the archive holds files of several servers, such as {other.name} and {member.name}",
            remedy=remedy_for("redis_backup", "several"),
        )


def placed(folder: Path, found: dict[str, tarfile.TarInfo]) -> Placed:
    """What was unpacked into `folder`, as a server is to load it."""
    rdb, old = folder / RDB_NAME, folder / AOF_NAME
    parts = [name for name in found if name not in (RDB_NAME, AOF_NAME)]
    if not parts and AOF_NAME not in found and RDB_NAME in found:
        return Placed(folder, rdb=rdb)
    aof = old if AOF_NAME in found and not parts else manifest_in(folder / FOLDER)
    if RDB_NAME not in found:
        return Placed(folder, aof=aof)
    newest = max(each.mtime for name, each in found.items() if name != RDB_NAME)
    left = left_out(found[RDB_NAME], rdb, newest)
    rdb.unlink()
    return Placed(folder, aof=aof, not_drilled=(left,))


def left_out(member: tarfile.TarInfo, rdb: Path, newest: float) -> NotDrilled:
    """The RDB file that lies beside append-only files, the `newest` of which is of that time."""
    with rdb.open("rb") as file:
        header = header_in(file.read(HEAD_BYTES))
    made = (header and header.made_at) or datetime.fromtimestamp(member.mtime, UTC)
    name = PurePosixPath(member.name).name
    why = "a server with append-only files loads those and not the RDB file, and so does the drill"
    if (later := made.timestamp() - newest) > LATER:
        why += (
            f"; but {name} is {show_duration(later)} newer: if your server runs without "
            "appendonly, unpack it and drill it by itself (--redis-backup)"
        )
    return NotDrilled(
        f"{name} of {show_time(made)}, which lies beside the append-only files in the archive", why
    )

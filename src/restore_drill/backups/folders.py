"""What a folder is that is not a directory-format dump: a physical backup, a repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.foreign import PLAIN_FOLDER, REPOSITORY, WAL, WAL_NAME, Foreign

MOST = 5000
"""Entries of a folder that are read."""
DEEP = 8
"""So many folders above one are asked whether it is a part of them."""
BARMAN_KEY = re.compile(rb"^(backup_label|begin_wal|server_name)=", re.MULTILINE)
SET_FILES = frozenset({"backup.manifest", "backup.info", "archive.info"})
OF_A_SERVER = ("base", "global", "pg_", "PG_", "postgresql.", "backup_label", "backup_manifest")
PARTS = {
    "pgBackRest": ("archive", "backup"),
    "Barman": ("base", "wals", "incoming", "errors", "streaming"),
}
"""What lies in a repository, beside which other things may lie."""

PART_TAR = re.compile(r"(pg_wal|\d{1,10})\.tar(\.[a-z0-9]{1,5})?")
"""Tars of a base backup beside base.tar."""
RESTORE = {
    "pgBackRest": "pgbackrest --stanza=NAME restore",
    "Barman": "barman recover SERVER latest FOLDER",
    "WAL-G": "wal-g backup-fetch FOLDER LATEST",
    "pg_probackup": "pg_probackup restore -B {path} --instance NAME -D FOLDER",
}


class Parts(NamedTuple):
    """Names of what a folder consists of, and the `beginnings` of more."""

    beginnings: tuple[str, ...]
    names: tuple[str, ...] = ()


memories: list[dict[Path, Parts]] = []


@contextmanager
def each_folder_once() -> Iterator[None]:
    """Inside, a folder is looked at once for all that lies in it: that may be thousands."""
    memories.append({})
    try:
        yield
    finally:
        memories.pop()


def place_of_what(path: Path) -> Foreign:
    """What the folder at `path` is, or the physical backup of which it, or a file, is a part.

    PLAIN_FOLDER where it is nothing in particular. OSError where it cannot be read.
    """
    found = folder_of_what(path) if path.is_dir() else PLAIN_FOLDER
    return part_of_what(path) or PLAIN_FOLDER if found is PLAIN_FOLDER else found


def part_of_what(path: Path) -> Foreign | None:
    """The physical backup or repository that the folder or file at `path` is a part of, if any."""
    path = path.absolute()
    for parent in list(path.parents)[:DEEP]:
        with suppress(OSError):
            if is_part(path.relative_to(parent).parts[0], parent):
                whole = folder_of_what(parent)
                return Foreign(f"a part of {whole.what}", whole.cause, whole.about)
    return None


def is_part(name: str, folder: Path) -> bool:
    """Whether `name` is what a physical backup or repository at `folder` itself consists of."""
    memory = next(iter(memories[-1:]), {})
    if folder not in memory:
        memory[folder] = parts_of(folder)
    parts = memory[folder]
    return name.startswith(parts.beginnings) or name in parts.names


def parts_of(folder: Path) -> Parts:
    """What a physical backup or repository at `folder` consists of; no part where it is none."""
    names = {entry.name for entry in islice(folder.iterdir(), MOST)}
    if "PG_VERSION" in names:
        return Parts(OF_A_SERVER)
    if SET_FILES & names:
        return Parts(("",))
    return Parts((), PARTS.get(repository_of(folder, names), ()))


def folder_of_what(path: Path) -> Foreign:
    """What the folder at `path` is; PLAIN_FOLDER where it is nothing in particular."""
    names = {entry.name for entry in islice(path.iterdir(), MOST)}
    if found := physical(path, names):
        return found
    if any(name.endswith((".bson", ".bson.gz")) for name in names):
        return Foreign("a MongoDB dump (mongodump)")
    if "ibdata1" in names:
        return Foreign("a MySQL or MariaDB data directory")
    return PLAIN_FOLDER


def physical(path: Path, names: set[str]) -> Foreign | None:
    """What physical backup of PostgreSQL lies at `path`, or a repository of them; None for none."""
    if "PG_VERSION" in names:
        return data_directory(path, names)
    if next(path.glob("global/pg_control*"), None):
        return Foreign("the files of a data directory in a physical backup", "physical")
    has_tar = "backup_manifest" in names and any(map(PART_TAR.fullmatch, names))
    if has_tar or any(name.startswith("base.tar") for name in names):
        return Foreign("a physical base backup (pg_basebackup, tar format)", "physical")
    if tool := set_of(path, names):
        return repository(tool, f"a {tool} backup set (a physical backup)", path)
    if tool := repository_of(path, names):
        return repository(tool, f"a {tool} repository (physical backups)", path)
    return WAL if names and all(map(WAL_NAME.fullmatch, names)) else None


def repository(tool: str, what: str, path: Path) -> Foreign:
    """`what` the `tool` has made at `path`, with the way to restore it."""
    return Foreign(what, REPOSITORY, RESTORE[tool].replace("{path}", str(path)))


def set_of(path: Path, names: set[str]) -> str:
    """Tool one of whose backup sets lies at `path` with those `names` in it; empty for none."""
    if "backup.manifest" in names:
        return "pgBackRest"
    return "Barman" if is_barman(path / "backup.info") else ""


def is_barman(path: Path) -> bool:
    """Whether the file at `path` is Barman's description of a backup; pgBackRest's has sections."""
    with suppress(OSError), path.open("rb") as file:
        return BARMAN_KEY.search(file.read(1 << 16)) is not None
    return False


def data_directory(path: Path, names: set[str]) -> Foreign:
    """What kind of data directory of PostgreSQL lies at `path`."""
    if "postmaster.pid" in names:
        return Foreign("the data directory of a running PostgreSQL server", "running")
    if names & {"backup_manifest", "backup_label"}:
        return Foreign("a physical base backup (pg_basebackup)", "physical")
    version = (path / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()[:5]
    return Foreign(f"a copied data directory of PostgreSQL {version}", "physical")


def is_barman_server(path: Path, names: set[str]) -> bool:
    """Whether Barman keeps a server at `path`: anybody may have folders `base` and `wals`."""
    is_like_one = {"base", "wals"} <= names
    return is_like_one and (
        bool({"incoming", "streaming", "errors"} & names)
        or next(path.glob("base/*/backup.info"), None) is not None
    )


def repository_of(path: Path, names: set[str]) -> str:
    """Tool whose repository lies at `path` with those `names` in it; empty for none."""
    for info in ("backup.info", "archive.info", "*/backup.info", "*/archive.info",
                 "backup/*/backup.info", "archive/*/archive.info"):  # fmt: skip
        if found := next(path.glob(info), None):
            return "Barman" if is_barman(found) else "pgBackRest"
    if any(name.startswith("basebackups_0") for name in names) or "wal_005" in names:
        return "WAL-G"
    if is_barman_server(path, names) or next(path.glob("*/base/*/backup.info"), None):
        return "Barman"
    if {"backups", "wal"} <= names:
        return "pg_probackup"
    return ""

"""What kind of physical backup a folder holds, by names and first lines: for a list of many."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from restore_drill.backups.physical.barman import servers_at
from restore_drill.backups.physical.chains import label_at
from restore_drill.backups.physical.in_folder import holds_files
from restore_drill.backups.physical.in_tars import holds_tars
from restore_drill.backups.physical.labels import LABEL
from restore_drill.backups.physical.live import is_live
from restore_drill.backups.physical.manifests import MANIFEST
from restore_drill.backups.physical.model import BARMAN, BASE, CHAIN, COLD, PGBACKREST
from restore_drill.backups.physical.repositories import places_at
from restore_drill.config.remote import mirror_around

UNFINISHED = f"{MANIFEST}.tmp"
"""What pg_basebackup writes beside a backup that it has not finished."""
PARTS = ("data", "pg_data")
"""Folders of the data directory in a backup of Barman's and pgBackRest's."""


def kind_at(path: Path) -> str:
    """One of KINDS for the folder at `path`, empty where it is none that can be drilled.

    A server that runs has none, and neither has a repository in a bucket, which its own tool reads.
    """
    with suppress(OSError):
        if path.name in PARTS and (tool := repository_at(path)):
            return tool
        if holds_files(path):
            return "" if is_live(path) else kind_of_files(path)
        if holds_tars(path):
            return CHAIN if label_at(path)[0].incremental_from is not None else BASE
        return repository_at(path)
    return ""


def kind_of_files(path: Path) -> str:
    """Kind of the data directory at `path`."""
    if label_at(path)[0].incremental_from is not None:
        return CHAIN
    is_base = (path / LABEL).is_file() or (path / MANIFEST).is_file()
    return BASE if is_base else COLD


def repository_at(path: Path) -> str:
    """Tool whose repository, or a part of one, lies at `path`; empty for none."""
    if mirror_around(path):
        return ""
    path = path.absolute()
    if places_at(path):
        return PGBACKREST
    return BARMAN if servers_at(path) else ""


def wholes_at(path: Path) -> list[Path]:
    """The folders at `path` that are a backup each: itself, or the stanzas or servers in it."""
    kind = kind_at(path)
    if kind == PGBACKREST and len(places := places_at(path.absolute())) > 1:
        return [each.backups for each in places]
    if kind == BARMAN and len(servers := servers_at(path.absolute())) > 1:
        return servers
    return [path] if kind else []


def is_unfinished(path: Path) -> bool:
    """Whether pg_basebackup still writes the backup at `path`, or has left it so."""
    return (path / UNFINISHED).exists()

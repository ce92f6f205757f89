"""What a folder is that is not a directory-format dump: a physical backup, a repository."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from restore_drill.backups.foreign import PLAIN_FOLDER, Foreign

RESTORE = {
    "pgBackRest": "pgbackrest --stanza=NAME restore",
    "Barman": "barman recover SERVER latest FOLDER",
    "WAL-G": "wal-g backup-fetch FOLDER LATEST",
    "pg_probackup": "pg_probackup restore -B {path} --instance NAME -D FOLDER",
}


def folder_of_what(path: Path) -> Foreign:
    """What the folder at `path` is; PLAIN_FOLDER where it is nothing in particular."""
    names = {entry.name for entry in islice(path.iterdir(), 5000)}
    if "PG_VERSION" in names:
        return data_directory(path, names)
    if any(name.startswith("base.tar") for name in names):
        return Foreign("a physical base backup (pg_basebackup, tar format)", "physical")
    if tool := repository_of(path, names):
        restore = RESTORE[tool].replace("{path}", str(path))
        return Foreign(f"a repository of {tool} (physical backups)", "repository", restore)
    if any(name.endswith((".bson", ".bson.gz")) for name in names):
        return Foreign("a dump of MongoDB (mongodump)")
    if "ibdata1" in names:
        return Foreign("a data directory of MySQL or MariaDB")
    return PLAIN_FOLDER


def data_directory(path: Path, names: set[str]) -> Foreign:
    """What kind of data directory of PostgreSQL lies at `path`."""
    if "postmaster.pid" in names:
        return Foreign("the data directory of a running PostgreSQL server", "running")
    if names & {"backup_manifest", "backup_label"}:
        return Foreign("a physical base backup (pg_basebackup)", "physical")
    version = (path / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()[:5]
    return Foreign(f"a data directory of PostgreSQL {version}, copied", "physical")


def repository_of(path: Path, names: set[str]) -> str:
    """Tool whose repository lies at `path` with those `names` in it; empty for none."""
    if {"archive", "backup"} <= names and (
        next((path / "backup").glob("*/backup.info"), None)
        or next((path / "archive").glob("*/archive.info"), None)
    ):
        return "pgBackRest"
    if names & {"backup.info", "archive.info"} and not names & {"data"}:
        return "pgBackRest"
    if any(name.startswith("basebackups_0") for name in names) or "wal_005" in names:
        return "WAL-G"
    if ("wals" in names and "base" in names) or next(path.glob("*/base/*/backup.info"), None):
        return "Barman"
    if {"backups", "wal"} <= names:
        return "pg_probackup"
    return ""

"""The manifest beside a backup: written last, read when the backup is drilled."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from restore_drill.backups.read import sha256_of
from restore_drill.core.access import cannot_read
from restore_drill.core.below import files_below
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.json_values import text, whole
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.fingerprint_file import fingerprint_from
from restore_drill.manifest.physical import PhysicalFacts, physical_from
from restore_drill.manifest.redis import RedisBefore

SUFFIX = ".manifest.json"
SCHEMA = 1
OWNER_ALONE = 0o600
"""Mode of a file that nobody else may read."""


@dataclass(frozen=True)
class Manifest:
    """What a manifest says; `files` maps each file of the backup to its bytes and SHA-256.

    `roles` is the name of the role file that was written with it, empty without one; `redis` is the
    backup of Redis that was taken in the same run. `physical` is what is known of a physical
    backup: its facts are then those of one database of the cluster.
    """

    taken_at: datetime
    database: str
    server: str
    pg_dump: str
    backup: str
    format: str
    size: int
    sha256: str
    files: dict[str, tuple[int, str]]
    fingerprint: Fingerprint
    system: str = ""
    roles: str = ""
    redis: RedisBefore | None = None
    physical: PhysicalFacts | None = None

    def as_json(self) -> dict[str, Any]:
        """The manifest in JSON's own types, as the package's docstring describes it."""
        return {
            "schema": SCHEMA,
            "taken_at": self.taken_at.isoformat().replace("+00:00", "Z"),
            "database": self.database,
            "system_identifier": self.system,
            "encoding": self.fingerprint.encoding,
            "server_version": self.server,
            "server_version_num": self.fingerprint.server_version,
            "pg_dump_version": self.pg_dump,
            **({"roles": self.roles} if self.roles else {}),
            **({"redis": self.redis.as_json(self.taken_at)} if self.redis else {}),
            **({"physical": self.physical.as_json()} if self.physical else {}),
            "backup": {
                "name": self.backup,
                "format": self.format,
                "bytes": self.size,
                "sha256": self.sha256,
                "files": {
                    name: {"bytes": size, "sha256": digest}
                    for name, (size, digest) in self.files.items()
                },
            },
            "identity": self.fingerprint.as_json(),
        }

    def differences(self, path: Path, sha256: str) -> list[str]:
        """How the backup at `path`, whose digest is `sha256`, differs from the one described."""
        if sha256 == self.sha256:
            return []
        if self.physical:
            return [f"SHA-256 of its backup_manifest {sha256}, expected {self.sha256}"]
        now = files_of(path)
        if path.is_file():
            now = dict.fromkeys(self.files, now[path.name])
        found = [f"{name} is missing" for name in self.files if name not in now]
        found += [f"{name} is new" for name in now if name not in self.files]
        for name in self.files.keys() & now.keys():
            (was, digest), (size, other) = self.files[name], now[name]
            if size != was:
                found.append(f"{name} has {show_bytes(size)} ({size:,} bytes), had {was:,} bytes")
            elif digest != other:
                found.append(f"{name} still has {was:,} bytes, but different content")
        return sorted(found) or [f"SHA-256 {sha256}, expected {self.sha256}"]


def manifest_path(backup: Path) -> Path:
    """Where the manifest of the backup at `backup` lies."""
    return backup.with_name(backup.name + SUFFIX)


def files_of(path: Path) -> dict[str, tuple[int, str]]:
    """Bytes and SHA-256 of a file, or of each file below a directory."""
    if path.is_file():
        return {path.name: (path.stat().st_size, sha256_of(path))}
    return {name: (stat.st_size, sha256_of(path / name)) for name, stat in files_below(path)}


def digest_of(path: Path, files: dict[str, tuple[int, str]]) -> str:
    """SHA-256 of the backup at `path`, as `sha256_of` gives it, from that of its `files`."""
    if path.is_file():
        return files[path.name][1]
    lines = [f"{name}\0{digest}\n" for name, (_, digest) in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_text(path: Path, content: str, mode: int = 0o666) -> None:
    """Write `content` to the new file `path`, and see it on the disk."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_manifest(path: Path) -> Manifest:
    """Manifest at `path`.

    Raises BackupFault where it is damaged, CouldNotRun where it cannot be opened or is of a later
    restore-drill.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        schema = raw["schema"]
        if isinstance(schema, int) and schema > SCHEMA:
            raise CouldNotRun(
                f"the manifest {path.name} was written by a newer restore-drill (schema {schema})",
                checked=[str(path)],
                remedy=remedy_for("manifest", "newer"),
            )
        if schema != SCHEMA:
            raise ValueError(f"its schema is {schema!r}")
        return manifest_from(raw)
    except OSError as error:
        raise cannot_read("the manifest", path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupFault(
            f"the manifest {path.name} is damaged: {reason(error)}",
            checked=[str(path)],
            remedy=remedy_for("manifest", "damaged"),
        ) from None


def reason(error: Exception) -> str:
    """The error of a reader of JSON, in a line."""
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def manifest_from(raw: dict[str, Any]) -> Manifest:
    """Manifest in `raw`; KeyError, TypeError, ValueError or AttributeError where it is none."""
    backup = raw["backup"]
    taken_at = datetime.fromisoformat(text(raw["taken_at"]))
    if taken_at.tzinfo is None:
        raise ValueError("its time has no time zone")
    return Manifest(
        taken_at=taken_at,
        database=text(raw["database"]),
        system=text(raw.get("system_identifier", "")),
        roles=text(raw.get("roles", "")),
        server=text(raw["server_version"]),
        pg_dump=text(raw["pg_dump_version"]),
        backup=text(backup["name"]),
        format=text(backup["format"]),
        size=whole(backup["bytes"]),
        sha256=text(backup["sha256"]),
        files={
            name: (whole(each["bytes"]), text(each["sha256"]))
            for name, each in backup["files"].items()
        },
        fingerprint=fingerprint_from(
            raw["identity"],
            server_version=whole(raw["server_version_num"]),
            encoding=text(raw["encoding"]),
        ),
        physical=physical_from(raw.get("physical")),
    )

"""The manifest of a backup, of what its files are and what its source was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from restore_drill.backups.physical.manifests import MANIFEST
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.manifest.file import SUFFIX, Manifest, digest_of, files_of
from restore_drill.manifest.redis import RedisBefore
from restore_drill.servers.model import Target


@dataclass(frozen=True)
class Moment:
    """The moment that a backup is of: an exported `snapshot`, and what `server` it was of."""

    snapshot: str
    taken_at: datetime
    server: str
    system: str


def describe(
    target: Target,
    path: Path,
    fingerprint: Fingerprint,
    *,
    form: str,
    taken_at: datetime,
    server: str,
    system: str = "",
) -> Manifest:
    """Manifest of the backup that lies at `path`; `system` identifies the source's cluster."""
    files = files_of(path)
    moment = Moment("", taken_at, server, system)
    return manifest_of_files(
        target, path.name, files, fingerprint,
        form=form, moment=moment, sha256=digest_of(path, files),
    )  # fmt: skip


def manifest_of_files(
    target: Target,
    name: str,
    files: dict[str, tuple[int, str]],
    fingerprint: Fingerprint,
    *,
    form: str,
    moment: Moment,
    sha256: str,
    roles: str = "",
    redis: RedisBefore | None = None,
) -> Manifest:
    """Manifest of the backup `name`, of these `files` with their bytes and SHA-256."""
    return Manifest(
        taken_at=moment.taken_at,
        database=target.conninfo["dbname"],
        server=moment.server,
        pg_dump=target.binaries.version_text,
        backup=name,
        format=form,
        size=sum(size for size, _ in files.values()),
        sha256=sha256,
        files=files,
        fingerprint=fingerprint,
        system=moment.system,
        roles=roles,
        redis=redis,
    )


def beside(manifest: Manifest) -> dict[str, str]:
    """Name and content of the files that are written beside a backup, in their order."""
    name = manifest.backup
    of = f"{name}/{MANIFEST}" if manifest.physical else name
    return {f"{name}.sha256": f"{manifest.sha256}  {of}\n", name + SUFFIX: in_lines(manifest)}


def in_lines(manifest: Manifest) -> str:
    """The manifest as JSON that people can read and compare."""
    return json.dumps(manifest.as_json(), indent=1, ensure_ascii=False) + "\n"

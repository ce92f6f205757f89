"""Takes a backup with its manifest: one snapshot, pg_dump and the fingerprints side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.entries import schema_dump
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.session import Connection, open_session
from restore_drill.facts.snapshot import SnapshotReading
from restore_drill.manifest.dump import Form, dumping, of_snapshot
from restore_drill.manifest.dump_causes import dump_remedy
from restore_drill.manifest.file import Manifest, digest_of, files_of, manifest_path, write_text
from restore_drill.manifest.settle import IN_UTF8, noted, statements_of
from restore_drill.manifest.source import refuse_row_security
from restore_drill.manifest.staging import publish, refuse_existing, staging_in
from restore_drill.servers.model import Target

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Taken:
    """A backup that was taken; `warnings` are pg_dump's."""

    path: Path
    manifest: Manifest
    warnings: list[str]


def take_backup(
    target: Target,
    form: Form,
    *,
    folder: Path,
    name: Callable[[datetime], str],
    jobs: int,
    progress: Progress,
) -> Taken:
    """Dump `target` into `folder` under the name that `name` makes of the time, with a manifest.

    Both are of one snapshot, so that the source may be written to meanwhile. pg_dump syncs its
    files; the backup gets its name first, then its `.sha256`, then its manifest. Nothing is left
    where it fails or is interrupted. Raises CouldNotRun.
    """
    try:
        with staging_in(folder) as staging:
            return take_in(target, form, staging, name=name, jobs=jobs, progress=progress)
    except psycopg.Error as error:
        raise CouldNotRun(
            f"no backup was taken: {target.description} cannot be read",
            checked=[error_text(error)],
            remedy=dump_remedy([error_text(error)]),
        ) from None
    except OSError as error:
        raise CouldNotRun(
            f"no backup can be written to {folder}: {error.strerror or error}",
            remedy=remedy_for("backup", "not_written"),
        ) from None


def take_in(
    target: Target,
    form: Form,
    staging: Path,
    *,
    name: Callable[[datetime], str],
    jobs: int,
    progress: Progress,
) -> Taken:
    """Take the backup in the directory `staging`, and move it to the one that holds it."""
    folder = staging.parent
    with open_session(target, snapshot="") as holder:
        refuse_row_security(holder, target)
        row = holder.execute("SELECT pg_export_snapshot()").fetchone()
        taken_at = datetime.now(UTC).replace(microsecond=0)
        server = holder.info.parameter_status("server_version") or ""
        path = staging / name(taken_at)
        refuse_existing(folder / path.name)
        system = system_of(holder)
        fingerprint, warnings = dump_and_read(
            target, form, path, snapshot=str(row[0] if row else ""), jobs=jobs, progress=progress
        )
    if fingerprint.unread:
        raise CouldNotRun(
            "no backup was taken: not all of the source can be read",
            checked=fingerprint.unread[:5],
            remedy=remedy_for("backup", "unread"),
        )
    progress("checksums")
    manifest = describe(
        target, path, fingerprint, form=form.text, taken_at=taken_at, server=server, system=system
    )
    digest = path.with_name(path.name + ".sha256")
    write_text(digest, f"{manifest.sha256}  {path.name}\n")
    write_text(manifest_path(path), in_lines(manifest))
    publish([path, digest, manifest_path(path)], folder)
    return Taken(folder / path.name, manifest, warnings)


def dump_and_read(
    target: Target, form: Form, path: Path, *, snapshot: str, jobs: int, progress: Progress
) -> tuple[Fingerprint, list[str]]:
    """Fingerprint of `target` as of `snapshot`, and pg_dump's warnings; the dump goes to `path`."""
    with (
        SnapshotReading(target, jobs, snapshot) as reading,
        dumping(target, form, path, snapshot=snapshot, jobs=jobs) as dump,
        schema_dump(target, IN_UTF8, *of_snapshot(snapshot)) as schema,
    ):
        warnings = reading.plan.add_aside(lambda: dump.finish(target.description), dump.stop)
        written = reading.plan.add_aside(lambda: statements_of(schema), schema.kill)
        found = reading.read(lambda text: progress(f"{dump.progress()}; {text}"))
        found = reading.moved(noted(found, *written.result(), major=target.binaries.major))
    return found, warnings.result()


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
    return Manifest(
        taken_at=taken_at,
        database=target.conninfo["dbname"],
        server=server,
        pg_dump=target.binaries.version_text,
        backup=path.name,
        format=form,
        size=sum(size for size, _ in files.values()),
        sha256=digest_of(path, files),
        files=files,
        fingerprint=fingerprint,
        system=system,
    )


def system_of(connection: Connection) -> str:
    """Identifier of the cluster of `connection`; empty where the role may not know it."""
    try:
        with connection.transaction():
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    except psycopg.Error:
        if connection.broken:
            raise
        return ""
    return str(row[0]) if row else ""


def in_lines(manifest: Manifest) -> str:
    """The manifest as JSON that people can read and compare."""
    return json.dumps(manifest.as_json(), indent=1, ensure_ascii=False) + "\n"

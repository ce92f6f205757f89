"""A backup in files of this machine: pg_dump writes them where they will lie."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from restore_drill.facts.session import open_session
from restore_drill.manifest.backup import dump_and_read, in_words, moment_of, refuse_unread
from restore_drill.manifest.description import beside, manifest_of_files
from restore_drill.manifest.dump import Form
from restore_drill.manifest.file import Manifest, digest_of, files_of, write_text
from restore_drill.manifest.redis import RedisBefore
from restore_drill.manifest.staging import publish, refuse_existing, staging_in
from restore_drill.servers.model import Target
from restore_drill.taking.destination import write_pieces
from restore_drill.taking.roles import role_file

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Taken:
    """A backup that was taken; `warnings` are pg_dump's, `path` is as users write it."""

    path: str
    manifest: Manifest
    warnings: list[str]


def take_backup(
    target: Target,
    form: Form,
    *,
    folder: Path,
    name: Callable[[datetime], str],
    jobs: int,
    with_roles: bool,
    progress: Progress,
    redis: RedisBefore | None = None,
) -> Taken:
    """Dump `target` into `folder` under the name that `name` makes of the time, with a manifest.

    Both are of one snapshot, so that the source may be written to meanwhile. pg_dump syncs its
    files; the backup gets its name first, then its `.sha256`, then its manifest. Nothing is left
    where it fails or is interrupted. Raises CouldNotRun.
    """
    with in_words(target, str(folder)), staging_in(folder) as staging:
        return take_in(
            target,
            form,
            staging,
            name=name,
            jobs=jobs,
            with_roles=with_roles,
            progress=progress,
            redis=redis,
        )


def take_in(
    target: Target,
    form: Form,
    staging: Path,
    *,
    name: Callable[[datetime], str],
    jobs: int,
    with_roles: bool,
    progress: Progress,
    redis: RedisBefore | None = None,
) -> Taken:
    """Take the backup in the directory `staging`, and move it to the one that holds it."""
    folder = staging.parent
    with closing(open_session(target, snapshot="")) as holder:
        moment = moment_of(holder, target)
        path = staging / name(moment.taken_at)
        refuse_existing(folder / path.name)
        fingerprint, warnings = dump_and_read(
            target, form, path, snapshot=moment.snapshot, jobs=jobs, progress=progress
        )
    refuse_unread(fingerprint)
    progress("checksums")
    files, paths, roles = files_of(path), [path], ""
    if with_roles:
        roles, written = role_file(path.name, target, None)
        paths.append(path.with_name(roles))
        write_pieces(paths[-1], [written])
    manifest = manifest_of_files(
        target, path.name, files, fingerprint,
        form=form.text, moment=moment, sha256=digest_of(path, files), roles=roles,
        redis=redis,
    )  # fmt: skip
    for file, content in beside(manifest).items():
        paths.append(path.with_name(file))
        write_text(paths[-1], content)
    publish(paths, folder)
    return Taken(str(folder / path.name), manifest, warnings)

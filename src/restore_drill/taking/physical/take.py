"""A physical backup taken into a folder: files, their WAL up to a point, the facts of that."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.backups.physical.manifests import MANIFEST, manifest_at
from restore_drill.backups.read import sha256_of
from restore_drill.core.below import files_below
from restore_drill.core.errors import CouldNotRun
from restore_drill.manifest.backup import in_words
from restore_drill.manifest.description import Moment, beside, manifest_of_files
from restore_drill.manifest.file import write_text
from restore_drill.manifest.physical import PhysicalFacts
from restore_drill.manifest.redis import RedisBefore
from restore_drill.manifest.staging import publish, refuse_existing, staging_in, sync
from restore_drill.selection.candidate import size_of
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.model import Target
from restore_drill.taking.files import Taken
from restore_drill.taking.physical.base import refuse_unverified, running, take_base, verifying
from restore_drill.taking.physical.before import Cluster
from restore_drill.taking.physical.form import PhysicalForm
from restore_drill.taking.physical.proving import Proving

Progress = Callable[[str], None]
SYNCS = 8
"""Files that are seen on the disk at once."""


@dataclass
class Taking:
    """A physical backup that is being taken: of what, how, and what there is to say of it.

    `full` is the name of the full backup that an increment is of, in `folder`; `tools` verify it,
    and its WAL is read by `waldump`, the pg_waldump of the server's own major.
    What has kept its facts from being read becomes the `failure`.
    """

    target: Target
    form: PhysicalForm
    cluster: Cluster
    folder: Path
    full: str
    tools: Binaries
    waldump: str
    jobs: int
    progress: Progress
    redis: RedisBefore | None = None
    failure: CouldNotRun | None = None
    warnings: list[str] = field(default_factory=list)

    def take(self, name: Callable[[datetime], str]) -> Taken:
        """Take it under the name that `name` makes of the time; nothing is left where that fails.

        The folder gets its name first, then its `.sha256`, then its manifest. Raises CouldNotRun.
        """
        with in_words(self.target, str(self.folder)), staging_in(self.folder) as staging:
            path = staging / name(datetime.now(UTC))
            refuse_existing(self.folder / path.name)
            full = self.folder / self.full if self.full else None
            self.warnings += take_base(self.target, self.form, path, full, self.progress)
            facts = facts_in(path, self.form, self.cluster)
            proving = Proving(self.target, self.cluster, facts, self.waldump)
            command = verifying(self.tools, path, self.form, self.target.major)
            with running(command, dict(os.environ) | {"LC_ALL": "C"}) as verification:
                if self.form.facts:
                    proving.prove(path, staging / "wal", self.jobs, self.progress)
                self.progress("pg_verifybackup")
                refuse_unverified(verification)
            self.failure = proving.failure
            sync_all(path)
            paths = [path, *self.described(path, proving)]
            publish(paths, self.folder)
        return Taken(str(self.folder / path.name), self.manifest, self.warnings)

    def described(self, path: Path, proving: Proving) -> list[Path]:
        """Write what lies beside the backup at `path`; where.

        Its digest is that of the server's own manifest, which has the checksums of its files.
        """
        sha256 = sha256_of(path / MANIFEST)
        files = {MANIFEST: ((path / MANIFEST).stat().st_size, sha256)}
        self.manifest = replace(
            manifest_of_files(
                self.target, path.name, files, proving.fingerprint,
                form=self.form.text, sha256=sha256, redis=self.redis,
                moment=Moment("", proving.taken_at, self.cluster.server, self.cluster.system),
            ),
            size=size_of(path),
            physical=replace(proving.facts, full=self.full),
        )  # fmt: skip
        paths = []
        for file, content in beside(self.manifest).items():
            paths.append(path.with_name(file))
            write_text(paths[-1], content)
        return paths


def facts_in(path: Path, form: PhysicalForm, cluster: Cluster) -> PhysicalFacts:
    """What the server's own manifest of the backup at `path` says of it."""
    ranges = manifest_at(path / MANIFEST).ranges
    if not ranges:
        raise OSError(f"{MANIFEST} is incomplete")
    return PhysicalFacts(
        form=form.name,
        compression=form.compression,
        start_lsn=ranges[0].start,
        stop_lsn=ranges[-1].end,
        timeline=ranges[-1].timeline,
        databases=cluster.databases,
        tablespaces=cluster.tablespaces,
    )


def sync_all(path: Path) -> None:
    """See everything below `path` on the disk."""
    files = [path / name for name, _ in files_below(path)]
    folders = {path, *(file.parent for file in files)}
    with ThreadPoolExecutor(SYNCS) as pool:  # plain files are thousands of small ones
        for _ in pool.map(sync, [*files, *folders]):
            pass

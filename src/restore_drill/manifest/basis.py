"""What restored data is measured against: the manifest, where there is one."""

from __future__ import annotations

from dataclasses import dataclass

from restore_drill.backups.model import Backup
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.model import Facts
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.manifest.beside import manifest_of
from restore_drill.manifest.description import describe
from restore_drill.manifest.file import Manifest, read_manifest
from restore_drill.servers.model import Target


@dataclass(frozen=True)
class Basis:
    """What the restored data is measured against."""

    manifest: Manifest | BackupFault | CouldNotRun | None = None
    is_sample: bool = False

    @property
    def has_manifest(self) -> bool:
        """Whether there is a manifest, readable or not."""
        return self.is_sample or self.manifest is not None

    @property
    def read(self) -> Manifest | None:
        """The manifest beside the backup, where there is one that can be read."""
        return self.manifest if isinstance(self.manifest, Manifest) else None

    @property
    def tables(self) -> list[str]:
        """Tables that the manifest names, but for those that it says cannot be compared."""
        if self.read is None:
            return []
        apart = self.read.physical.apart if self.read.physical else {}
        return [name for name in self.read.fingerprint.all_tables if name not in apart]


def find_basis(backup: object, *, is_sample: bool) -> Basis:
    """Look for a manifest beside `backup`, where that is a `Backup`."""
    if is_sample:
        return Basis(is_sample=True)
    if not isinstance(backup, Backup):
        return Basis()
    path = manifest_of(backup)
    if not path.exists():
        return Basis()
    try:
        return Basis(manifest=read_manifest(path))
    except (BackupFault, CouldNotRun) as error:
        return Basis(manifest=error)


def manifest_of_sample(source: Target, backup: Backup, jobs: int) -> Manifest:
    """Manifest of the sample's dump, whose source nobody else writes to."""
    fingerprint = read_fingerprint(source, jobs, lambda _: None)
    return describe(
        source, backup.path, fingerprint,
        form=backup.format, taken_at=backup.taken_at, server=source.version,
    )  # fmt: skip


def fingerprint_of(facts: Facts) -> Fingerprint:
    """Fingerprint that `facts` has read; BackupFault where there is none."""
    if facts.fingerprint is None:
        raise BackupFault(
            "the restored database cannot be compared with the manifest",
            checked=[f"its catalog: {facts.why_no_fingerprint}"],
            remedy=remedy_for("facts", "unknown"),
        )
    return facts.fingerprint

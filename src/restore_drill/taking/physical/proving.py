"""Makes a base backup provable: the WAL up to a point goes into it, and the facts are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from restore_drill.backups.physical.wal_names import segment_name
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.manifest.dump_causes import dump_remedy
from restore_drill.manifest.physical import PhysicalFacts
from restore_drill.servers.model import Target
from restore_drill.taking.physical.before import Cluster
from restore_drill.taking.physical.facts import facts_at, positions_of
from restore_drill.taking.physical.point import Finding
from restore_drill.taking.physical.segments import add_segments
from restore_drill.taking.physical.wal import Wal

Progress = Callable[[str], None]
ATTEMPTS = 3
PASSING = ("42P01", "55P03", "40P01", "XX000")
"""What somebody's DDL between the snapshot and our locks leads to; with another one it may pass."""
NOT_ASKED = "it was taken without facts (--no-facts)"
BUSY = (
    "no snapshot was found that is in order with the WAL: at every moment some transactions wait "
    "for the disk, or for a standby, while others do not"
)


@dataclass
class Proving:
    """What is known of a base backup of `target`: its `facts`, and the `fingerprint` at its point.

    Where it has none, the facts say why; `failure` is what kept it from being read.
    """

    target: Target
    cluster: Cluster
    facts: PhysicalFacts
    waldump: str
    fingerprint: Fingerprint = field(init=False)
    taken_at: datetime = field(init=False)
    failure: CouldNotRun | None = None

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.fingerprint = Fingerprint(self.target.server_version, "", "", {})
        self.taken_at = datetime.now(UTC).replace(microsecond=0)
        self.facts = replace(self.facts, why_not=NOT_ASKED)

    def prove(self, backup: Path, folder: Path, jobs: int, progress: Progress) -> None:
        """Read the facts; the WAL up to their point goes through `folder` into the `backup`.

        The backup is whole without that: what goes wrong is kept as the `failure`.
        """
        try:
            stop, timeline, size = self.facts.stop_lsn, self.facts.timeline, self.cluster.segment
            folder.mkdir()
            wal = Wal(self.target, folder, segment_name(timeline, stop - 1, size), self.waldump)
            finding = Finding(self.target, wal, stop, timeline, size)
            for attempt in range(ATTEMPTS):
                try:
                    self.read(finding, jobs, progress)
                    break
                except psycopg.Error as error:
                    if error.sqlstate not in PASSING or attempt == ATTEMPTS - 1:
                        raise
            if self.facts.point:
                add_segments(backup, wal.segments)
        except psycopg.Error as error:
            reasons = [error_text(error)]
            self.give_up("the source cannot be read", reasons, dump_remedy(reasons))
        except CouldNotRun as error:
            self.give_up(error.what, error.checked, error.remedy)

    def read(self, finding: Finding, jobs: int, progress: Progress) -> None:
        """Find a point, and read what its snapshot sees."""
        stood = positions_of(self.target)
        found = finding.find(progress)
        if found is None:
            self.facts = replace(self.facts, why_not=BUSY)
            return
        held, point = found
        self.taken_at = datetime.now(UTC).replace(microsecond=0)
        try:
            seen = facts_at(self.target, held, stood, jobs, progress)
        finally:
            held.session.close()
        if seen.fingerprint.unread:
            remedy = remedy_for("backup", "unread")
            raise CouldNotRun(
                "the source cannot be read", checked=seen.fingerprint.unread[:5], remedy=remedy
            )
        self.fingerprint = seen.fingerprint
        self.facts = replace(
            self.facts, point=point, apart=seen.apart, is_moved=seen.is_moved, why_not=""
        )

    def give_up(self, what: str, checked: list[str], remedy: list[str]) -> None:
        """Keep what went wrong, for the manifest and for the end of the command."""
        self.facts = replace(self.facts, point=None, why_not=f"{what}: {'; '.join(checked)}")
        self.failure = CouldNotRun(
            f"a drill cannot be held to this backup: {what}", checked=checked, remedy=remedy
        )

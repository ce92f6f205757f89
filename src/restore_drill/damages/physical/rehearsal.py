"""What the criteria would see in a drill of a damaged physical backup."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from restore_drill.backups.model import Backup
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.read import read_contents
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.damages.model import Damage
from restore_drill.damages.physical import files, pages, wal
from restore_drill.damages.physical.model import (
    POINT,
    AgeDamage,
    FilesDamage,
    PageDamage,
    Untried,
    WalDamage,
)
from restore_drill.damages.rehearsal import Judge
from restore_drill.recovery.model import LATEST, Archive, Recovered

YEARS = timedelta(days=3653)
STALE = AgeDamage("stale_backup", "the backup and its WAL are years old", POINT)
PHYSICAL_DAMAGES: tuple[Damage, ...] = (
    *files.FILES_DAMAGES, *wal.WAL_DAMAGES, *pages.PAGE_DAMAGES, STALE,
)  # fmt: skip
NOT_STARTED = "test_recovery_reached_its_target"
"""The criterion that reports a recovery that does not come to an end."""


@dataclass
class PhysicalRehearsal:
    """Damages `backup`, of which `recovered` was made; `red` judges the outcome.

    `archive` opens the archive of its WAL, which serves one recovery and is stopped after it.
    Raises Untried for a damage that cannot be done here. Files are made in `folder`.
    """

    backup: Backup
    recovered: Recovered
    archive: Callable[[], Archive | None]
    jobs: int
    folder: Path
    red: Judge
    victim: pages.Victim | None = field(default=None, init=False)

    def of(self, damage: Damage) -> list[str]:
        """Criteria that notice `damage`."""
        if isinstance(damage, FilesDamage):
            return self.of_files(damage.do)
        if isinstance(damage, WalDamage):
            return self.of_wal(damage)
        if isinstance(damage, PageDamage):
            return self.of_pages(damage)
        return self.of_age()

    def of_files(self, do: files.Do) -> list[str]:
        """Read the backup with one of its files damaged."""
        with self.place() as folder:
            damaged = replace(self.backup, physical=do(self.physical, folder), mark=())
            with self.place() as work:
                contents = read_contents(damaged, work, wal.silent)
            return self.red({"backup": damaged, "contents": contents})

    def of_wal(self, damage: WalDamage) -> list[str]:
        """Recover once more, with one segment damaged."""
        name = wal.victim_of(self.recovered, self.physical)
        archive = self.archive()
        assert archive is not None
        damaged = damage.do(archive, name)
        try:
            with wal.recovered_from(damaged, self.physical, self.recovered.goal) as found:
                return self.red({"recovered": found})
        except BackupFault:
            return [NOT_STARTED]

    def of_pages(self, damage: PageDamage | None) -> list[str]:
        """Examine a copy of a database with one of its pages damaged; None damages nothing."""
        if self.victim is None:
            self.victim = pages.victim_of(self.recovered)
        with (
            self.place() as folder,
            pages.examined_with(damage, self.recovered, self.victim, self.jobs, folder) as found,
        ):
            return self.red({"examination": found})

    def of_age(self) -> list[str]:
        """Say that all of it is years old."""
        if self.recovered.goal.how != LATEST:
            raise Untried("recovery was not to end with the newest WAL")
        evidence, physical = self.recovered.evidence, self.physical
        last = evidence.last_in
        if last is not None:
            last = last._replace(at=earlier(last.at))
        began, ended = earlier(physical.started_at), earlier(physical.stopped_at)
        old = replace(physical, started_at=began, stopped_at=ended)
        recovered = replace(self.recovered, evidence=replace(evidence, last_in=last))
        return self.red({"backup": replace(self.backup, physical=old), "recovered": recovered})

    def check_control(self) -> None:
        """CouldNotRun where undamaged copies turn criteria red: nothing could be proved."""
        found: list[str] = []
        for do in files.CONTROLS:
            try:
                found += self.of_files(do)
            except Untried:
                continue
            break
        with suppress(Untried):
            found += self.of_pages(None)
        if found:
            raise CouldNotRun(
                "--prove proves nothing here: an undamaged copy fails criteria",
                checked=found,
                remedy=remedy_for("prove", "false_alarm"),
            )

    @property
    def physical(self) -> Physical:
        """What is drilled."""
        assert self.backup.physical is not None
        return self.backup.physical

    @contextmanager
    def place(self) -> Iterator[Path]:
        """An empty folder, which is removed at the end."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder)


def earlier(when: datetime | None) -> datetime | None:
    """A time years before `when`."""
    return when - YEARS if when else None

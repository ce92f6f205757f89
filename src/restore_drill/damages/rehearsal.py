"""What the criteria would see in a drill of a damaged copy: the facts that change, by fixture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import read_contents
from restore_drill.checks.facts import number_of
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.damages.copies import copied, do_damage, set_sequences
from restore_drill.damages.model import MANIFEST, DatabaseDamage, FileDamage
from restore_drill.facts.collect import read_facts
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.write_check import check_write
from restore_drill.manifest.basis import fingerprint_of
from restore_drill.manifest.file import Manifest
from restore_drill.manifest.settle import compare_by_dump
from restore_drill.servers.model import Target

CONTROL = DatabaseDamage("nothing", "an undamaged copy", MANIFEST, "")

Judge = Callable[[dict[str, Any]], list[str]]
"""Names of the criteria that are red where fixtures have other values, by name."""


@dataclass(frozen=True)
class Rehearsal:
    """Damages copies of the database `restored` from `contents`, and has them judged by `red`.

    `fingerprint` is that of the restored database before criteria wrote to it; it and `manifest`
    are None where there is nothing to compare with; `source` is the source itself, if at hand.
    """

    restored: Target
    contents: Contents
    jobs: int
    manifest: Manifest | None
    fingerprint: Fingerprint | None
    red: Judge
    source: Target | None = None

    def of_database(self, damage: DatabaseDamage) -> list[str] | None:
        """Criteria that notice `damage` in a copy; None where there is nothing to damage."""
        with copied(self.restored) as copy:
            if self.fingerprint is not None:
                # the write checks have moved them: no rollback brings a sequence back
                set_sequences(copy, self.fingerprint)
            if damage is not CONTROL and not do_damage(copy, damage):
                return None
            with copy.connect() as connection:
                connection.execute("ANALYZE")
            return self.red(facts_of(copy, self.contents, self.jobs, self.manifest, self.source))

    def of_file(self, damage: FileDamage, backup: Backup, folder: Path) -> list[str]:
        """Criteria that notice `damage` in a copy of `backup`, which is made in `folder`."""
        damaged = damage.do(backup, folder)
        assert damaged.taken_at <= datetime.now(UTC)
        contents = read_contents(damaged, folder, lambda _: None)
        return self.red({"backup": damaged, "contents": contents})

    def check_control(self) -> None:
        """CouldNotRun where an undamaged copy turns criteria red: nothing could be proved."""
        if false_alarms := self.of_database(CONTROL):
            raise CouldNotRun(
                "--prove proves nothing here: an undamaged copy fails criteria",
                checked=false_alarms,
                remedy=remedy_for("prove", "false_alarm"),
            )


def facts_of(
    copy: Target,
    contents: Contents,
    jobs: int,
    manifest: Manifest | None,
    source: Target | None,
) -> dict[str, Any]:
    """Fixtures of a drill whose restored database is `copy`."""
    major = manifest.fingerprint.major if manifest else None
    facts = read_facts(copy, contents, jobs, lambda _: None, as_major=major)
    compared = {}
    if manifest:
        was, now = manifest.fingerprint, fingerprint_of(facts)
        compared["comparison"] = compare_by_dump(was, now, copy, source=source)
    return compared | {
        "compared": lambda: compared.get("comparison"),
        "facts": facts,
        "restored": copy,
        "measure": lambda fact: number_of(copy, fact),
        "writes": lambda table: check_write(copy, table),
    }

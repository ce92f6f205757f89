"""What a drill measures drift against: the last passed drill and the reference."""

from __future__ import annotations

from dataclasses import dataclass

from restore_drill.backups.model import Backup, Contents
from restore_drill.checks.names import CriteriaNames
from restore_drill.config.settings import Settings
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.drift.reference import read_reference
from restore_drill.drift.state import Passed, State, state_of
from restore_drill.facts.checks.large_objects import LARGE_OBJECTS
from restore_drill.facts.model import Facts
from restore_drill.facts.schema.model import DriftFacts, Measure
from restore_drill.manifest.file import Manifest

WHY_PLAUSIBLE = f"no manifest lies beside the backup; take backups with {COMMAND} backup"
NO_MANIFEST = ("content and schema against the source", WHY_PLAUSIBLE)
NO_MANIFEST_OF_FILES = (NO_MANIFEST[0], f"{WHY_PLAUSIBLE} --physical")
"""What is not checked without a manifest, and why."""


@dataclass(frozen=True)
class Measures:
    """The last passed drill and the reference, where they are there.

    `state` is None where there is no backup whose series it could be of; `why_not` says why there
    is no last passed drill, `problem` why it cannot be read.
    """

    state: State | None = None
    passed: Passed | None = None
    reference: Measure | None = None
    why_not: str = ""
    problem: str = ""

    def check(self) -> None:
        """CouldNotRun where the last passed drill is there and cannot be read.

        To go on as if there were none would take a loss of today for the measure of tomorrow.
        """
        if self.problem and self.state:
            path = self.state.passed_path
            raise CouldNotRun(
                f"the record of the last passed drill cannot be read: {self.problem}",
                checked=[f"{path}, which this drill leaves unchanged"],
                remedy=remedy_for("drift", "damaged", path=path),
            )

    @property
    def all(self) -> list[Measure]:
        """Every measure there is."""
        passed = [self.passed.measure] if self.passed else []
        return passed + ([self.reference] if self.reference else [])


def find_measures(settings: Settings, backup: object, *, is_written_anew: bool) -> Measures:
    """Look for the last passed drill of the series of `backup`, and for the reference.

    The reference counts for nothing where it `is_written_anew`. Raises UsageError where it cannot
    be read.
    """
    if not isinstance(backup, Backup):
        return Measures()
    reference = None
    if settings.reference and not is_written_anew:
        reference = read_reference(settings.reference)
    state = state_of(settings, backup)
    passed, problem = state.read_passed()
    why_not = ""
    if passed is None:
        first = (
            f"no drill of the series {state.scheme} has passed before; later ones are "
            "compared with the first that passes"
        )
        why_not = problem or first
    elif ends_early(settings, backup):
        why_not = f"recovery was to end at {settings.recovery.to}, not with the newest WAL"
        passed = None
    elif passed.taken_at > backup.taken_at:
        why_not = f"the last passed drill used a later backup, {passed.backup}"
        passed = None
    return Measures(state, passed, reference, why_not, problem)


def ends_early(settings: Settings, backup: Backup) -> bool:
    """Whether an older state of the source is recovered than there is: it is nobody's measure."""
    return backup.physical is not None and not settings.recovery.is_to_latest


def names_ever_seen(
    settings: Settings, contents: Contents, manifest: Manifest | None, measures: Measures
) -> CriteriaNames:
    """Finds wrong names in the criteria: whatever was ever seen is lost, and not wrong."""
    tables = {entry.full_name for entry in contents.entries if entry.kind == "TABLE"}
    tables |= contents.counted.keys()
    columns: set[str] = set()
    if manifest is not None:
        tables |= manifest.fingerprint.all_tables.keys()
        columns |= manifest.fingerprint.schema.get("column", {}).keys()
    for measure in measures.all:
        tables |= measure.facts.rows.keys() | measure.facts.objects.get("table", {}).keys()
        columns |= measure.facts.objects.get("column", {}).keys()
    return CriteriaNames(settings.criteria, frozenset(tables), frozenset(columns))


def facts_of(
    facts: Facts, contents: Contents, backup: Backup, manifest: Manifest | None
) -> DriftFacts:
    """What the database held: of rows what lies in the backup, where the restore has lost some."""
    if facts.held is None:
        raise BackupFault(
            "the restored database cannot be compared with the last passed drill",
            checked=[f"its catalog: {facts.unheld}"],
            remedy=remedy_for("facts", "unknown"),
        )
    rows = {name: max(rows, contents.counted.get(name, 0)) for name, rows in facts.rows.items()}
    database = contents.head.database or backup.head.database
    return facts.held.of(
        rows=rows,
        large_objects=max(facts.of(LARGE_OBJECTS), contents.large_objects),
        database=manifest.database if manifest else database,
        system=manifest.system if manifest else "",
    )

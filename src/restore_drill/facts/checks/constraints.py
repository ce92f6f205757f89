"""Constraints that nobody has held the rows to: NOT VALID and NOT ENFORCED."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import LiteralString

from restore_drill.core.units import show_count
from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.check import Check
from restore_drill.facts.model import Facts
from restore_drill.facts.records import Constraint, ForeignKey
from restore_drill.facts.survey import UNENFORCED, Survey, some

UNSEEN = "it is NOT VALID in the source too, and its rows were not checked under its name"

NOT_VALID: LiteralString = (
    """
    SELECT n.nspname || '.' || coalesce(c.relname, t.typname) || ': ' || k.conname
    FROM pg_constraint k
    JOIN pg_namespace n ON n.oid = k.connamespace
    LEFT JOIN pg_class c ON c.oid = k.conrelid
    LEFT JOIN pg_type t ON t.oid = k.contypid
    WHERE NOT k.convalidated AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
        AND NOT EXISTS (
            SELECT FROM pg_inherits i JOIN pg_constraint above ON above.conrelid = i.inhparent
            WHERE i.inhrelid = k.conrelid AND above.conname = k.conname
                AND NOT above.convalidated) AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)

NOT_ENFORCED: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname || ': ' || k.conname
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE to_jsonb(k) ->> 'conenforced' = 'false' AND k.contype = 'c' AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)


def plan_unvalidated(survey: Survey) -> Callable[[Facts], tuple[str, ...]]:
    """Constraints that are NOT VALID, but for those that are so in the source, or broken anyway."""
    backup = survey.contents.not_valid if survey.contents else frozenset()
    found = [name for (name,) in survey.rows(UNVALIDATED.part, NOT_VALID)]
    if survey.copied:
        backup = frozenset(found)
    unenforced = survey.rows("constraints that are NOT ENFORCED", NOT_ENFORCED)
    survey.not_checked += ((f"check {name}", UNENFORCED) for (name,) in unenforced)

    def finish(facts: Facts) -> tuple[str, ...]:
        checked: list[ForeignKey | Constraint] = [*facts.foreign_keys, *facts.constraints]
        broken = {each.label for each in checked if each.is_broken}
        note_those_of_source([name for name in found if name in backup], survey, checked, broken)
        return tuple(name for name in found if name not in backup and name not in broken)

    return finish


def note_those_of_source(
    names: list[str],
    survey: Survey,
    checked: Collection[ForeignKey | Constraint],
    broken: set[str],
) -> None:
    """Note those that every row keeps all the same; of the others nothing is known."""
    whole = {each.label for each in checked}.difference(broken)
    leaves = leaves_of(survey)
    kept = [name for name in names if name in whole or holds_in_leaves(name, leaves, whole)]
    if kept:
        survey.notes.append(
            f"{show_count(len(kept), 'constraint')} NOT VALID, as in the source, but every row "
            f"meets them: {some(kept)}; run VALIDATE CONSTRAINT in the source"
        )
    seen = broken | {*kept}
    unseen = [name for name in names if name not in seen]
    survey.not_checked += ((f"constraint {name}", UNSEEN) for name in unseen)


def leaves_of(survey: Survey) -> dict[str, list[str]]:
    """Names of the partitions of each partitioned table that have none themselves."""
    names = {each.oid: each.full_name for each in survey.tables}
    parted = (each for each in survey.tables if each.is_partitioned)
    return {each.full_name: [names[oid] for oid in each.leaves if oid in names] for each in parted}


def holds_in_leaves(name: str, leaves: Mapping[str, list[str]], whole: Collection[str]) -> bool:
    """Whether the constraint `name` of a partitioned table is kept by each of its partitions."""
    table, _, constraint = name.partition(": ")
    labels = [f"{leaf}: {constraint}" for leaf in leaves.get(table, [])]
    return bool(labels) and all(label in whole for label in labels)


UNVALIDATED = Check("constraints that are NOT VALID", plan_unvalidated)

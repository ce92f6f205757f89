"""Large objects: how many there are, and those that rows name in vain."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString, NamedTuple

from restore_drill.core.units import show_count
from restore_drill.facts.answers import HEAP_ONLY, Outcome
from restore_drill.facts.asking import Asking, Question
from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.check import Check
from restore_drill.facts.model import Facts
from restore_drill.facts.survey import Survey

COUNT: LiteralString = "SELECT count(*) FROM pg_largeobject_metadata"

POINTERS: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname || '.' || a.attname, quote_ident(a.attname),
        'ONLY ' || c.oid::regclass, c.relpages, t.typname = 'lo'
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        AND 'oid'::regtype IN (t.oid, t.typbasetype) AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)


class Pointer(NamedTuple):
    """A column that may name large objects; one of type lo (extension lo) is sure to."""

    name: str
    quoted: str
    source: str
    pages: int
    is_certain: bool

    @property
    def label(self) -> str:
        """`column public.pictures.body`."""
        return f"column {self.name}"


def count_lost(pointer: Pointer) -> Asking[Outcome]:
    """Count the values of a column that name no large object that is there."""
    return (
        yield Question(
            f"SELECT count(*) FROM {pointer.source} t WHERE {pointer.quoted} <> 0 AND NOT EXISTS"
            f" (SELECT FROM pg_largeobject_metadata m WHERE m.oid = t.{pointer.quoted})",
            HEAP_ONLY,
        )
    )


def plan_count(survey: Survey) -> Callable[[Facts], int]:
    """How many there are."""
    found = survey.rows(LARGE_OBJECTS.part, COUNT)
    count: int = found[0][0] if found else 0
    return lambda _: count


def plan_lost(survey: Survey) -> Callable[[Facts], tuple[str, ...]]:
    """Plan to look for those that columns name; of columns of type oid they are only noted."""
    pointers = (Pointer(*row) for row in survey.rows(LOST_LARGE_OBJECTS.part, POINTERS))
    jobs = [(each, survey.plan.ask(count_lost, each, pages=each.pages)) for each in pointers]

    def finish(_: Facts) -> tuple[str, ...]:
        found = []
        for pointer, job in jobs:
            outcome = job.result()
            if outcome.row is None:
                what = f"large objects named in {pointer.name}"
                survey.not_checked.append((what, outcome.error))
            elif outcome.row[0]:
                lost = f"{show_count(outcome.row[0], 'value')} without a large object"
                if pointer.is_certain:
                    found.append(f"{pointer.name}: {lost}")
                else:
                    note = f"{pointer.name}: {lost} (harmless if they refer to something else)"
                    survey.notes.append(note)
        return tuple(found)

    return finish


LARGE_OBJECTS = Check("large objects", plan_count)
LOST_LARGE_OBJECTS = Check("columns of large objects", plan_lost)

"""The reader of a table: one pass counts its rows, tests their conditions, takes fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from restore_drill.facts.answers import HEAP_ONLY, Outcome
from restore_drill.facts.asking import Asking, Question
from restore_drill.facts.catalog import Table
from restore_drill.facts.conditions import HIDDEN_DOMAINS, Condition, read_conditions
from restore_drill.facts.content import EFFORT, Hashed
from restore_drill.facts.fingerprint import TableFacts
from restore_drill.facts.records import Constraint
from restore_drill.facts.survey import Survey


class Pass(NamedTuple):
    """What one pass over `table` is to find: what breaks its `conditions`, and what is `hashed`."""

    table: Table
    conditions: Sequence[Condition]
    hashed: Hashed | None

    @property
    def label(self) -> str:
        """`rows of public.cards`."""
        return self.table.label

    def scan(self) -> Asking[Scan]:
        """Ask for it."""
        return scan(self.table, self.conditions, self.hashed)


@dataclass(frozen=True)
class Scan:
    """What one pass over a table found: its rows (None with an error), and each condition.

    `content` are its fingerprints, where they were asked for.
    """

    rows: int | None
    error: str
    constraints: tuple[Constraint, ...]
    content: TableFacts | None = None


@dataclass(frozen=True)
class Rows:
    """What the passes over all tables found, each by the table's oid."""

    tables: Sequence[Table]
    scans: Mapping[int, Scan]

    @property
    def constraints(self) -> list[Constraint]:
        """All conditions."""
        return [each for scan in self.scans.values() for each in scan.constraints]

    @property
    def content(self) -> dict[str, TableFacts]:
        """Fingerprints by table."""
        return {
            each.full_name: found.content
            for each in self.tables
            if (found := self.scans.get(each.oid)) and found.content
        }

    def count(self) -> tuple[dict[str, int], dict[str, str]]:
        """Rows of each table, and the error of each that cannot be read; partitions add up."""
        rows: dict[str, int] = {}
        unreadable: dict[str, str] = {}
        for table in self.tables:
            leaves = table.leaves if table.is_partitioned else [table.oid]
            parts = [self.scans[oid] for oid in leaves if oid in self.scans]
            errors = [part.error for part in parts if part.rows is None]
            if errors:
                unreadable[table.full_name] = errors[0]
            else:
                rows[table.full_name] = sum(part.rows or 0 for part in parts)
        return rows, unreadable


def plan_rows(survey: Survey, hashed: Mapping[str, Hashed]) -> Callable[[], Rows]:
    """Plan a pass over each table, which takes the fingerprints of those in `hashed`, by name."""
    connection = survey.reader.connection
    none: dict[int, list[Condition]] = {}
    conditions = survey.reader.read("constraints", lambda: read_conditions(connection), none)
    for (column,) in survey.rows("domains inside arrays", HIDDEN_DOMAINS):
        why = "the domains inside its arrays or composites"
        survey.not_checked.append((f"column {column}", why))
    damaged = survey.copied.damaged if survey.copied else {}
    unread = {oid: Scan(None, why, ()) for oid, why in damaged.items()}
    jobs = {
        table.oid: survey.plan.ask(
            Pass.scan,
            Pass(table, conditions.get(table.oid, ()), hashed.get(table.full_name)),
            pages=table.pages,
            effort=EFFORT if table.full_name in hashed else 1,
        )
        for table in survey.tables
        if not table.is_partitioned and table.oid not in unread
    }
    return lambda: Rows(survey.tables, unread | {oid: job.result() for oid, job in jobs.items()})


def scan(
    table: Table, conditions: Sequence[Condition] = (), hashed: Hashed | None = None
) -> Asking[Scan]:
    """Count the rows of `table` and those that break each of `conditions`, in one pass.

    The same pass takes the fingerprints of `hashed`, if it is given. Where a condition cannot be
    evaluated each is tried alone, so that only that one is lost.
    """
    written = [each for each in conditions if not each.error]
    found = [
        Constraint(table.full_name, each.kind, each.name, None, each.error)
        for each in conditions
        if each.error
    ]
    whole = yield Question(query_of(table, written, hashed), HEAP_ONLY)
    if whole.row is None and (written or hashed):
        alone = yield from scan(table)
        content = (yield from read_content(hashed)) if hashed else None
        outcomes = []
        for each in written:
            outcomes += [(yield from try_alone(table, each))]
    else:
        rows, *rest = whole.row or (None,)
        broken, sums = rest[: len(written)], rest[len(written) :]
        alone = Scan(rows, whole.error, ())
        content = hashed.facts((rows, *sums)) if hashed else None
        outcomes = [Outcome((count,)) for count in broken]
    for condition, outcome in zip(written, outcomes, strict=True):
        found += yield from name_broken(table, condition, outcome)
    return Scan(alone.rows, alone.error, tuple(found), content)


def read_content(hashed: Hashed) -> Asking[TableFacts]:
    """Rows and fingerprints of one table; an error is kept, so that it can never count as equal."""
    outcome = yield Question(hashed.query(), HEAP_ONLY)
    if outcome.row is None:
        return TableFacts(None, error=outcome.error)
    return hashed.facts(outcome.row)


def query_of(table: Table, conditions: list[Condition], hashed: Hashed | None) -> str:
    """Query for the rows of `table`, those that break `conditions`, and fingerprints."""
    broken = [each.broken for each in conditions]
    if hashed is not None:
        return hashed.query(*broken)
    return f"SELECT {', '.join(['count(*)', *broken])} FROM ONLY {table.quoted}"


def try_alone(table: Table, condition: Condition) -> Asking[Outcome]:
    """Rows that break one condition; a function in it may need the usual search_path."""
    query = f"SELECT {condition.broken} FROM ONLY {table.quoted}"
    outcome = yield Question(query, HEAP_ONLY)
    if outcome.row is not None:
        return outcome
    usual = yield Question(query, (*HEAP_ONLY, "SET LOCAL search_path TO DEFAULT"))
    return usual if usual.row is not None else outcome


def name_broken(table: Table, condition: Condition, outcome: Outcome) -> Asking[list[Constraint]]:
    """Facts of one condition; of one on several columns those that are broken, by name."""
    broken = outcome.row[0] if outcome.row else None
    found = Outcome(None)
    if broken and condition.columns:
        counts = ", ".join(
            f"count(*) FILTER (WHERE num_nulls({each}) > 0)" for each in condition.quoted
        )
        found = yield Question(f"SELECT {counts} FROM ONLY {table.quoted}", HEAP_ONLY)
    rows = f"SELECT * FROM ONLY {table.quoted} WHERE"
    if found.row is None:
        name = condition.name or ", ".join(condition.columns)
        query = f"{rows} NOT ({condition.text})" if broken else ""
        return [Constraint(table.full_name, condition.kind, name, broken, outcome.error, query)]
    queries = [f"{rows} num_nulls({each}) > 0" for each in condition.quoted]
    return [
        Constraint(table.full_name, condition.kind, name, count, query=query)
        for name, query, count in zip(condition.columns, queries, found.row, strict=True)
        if count
    ]

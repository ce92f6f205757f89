"""The facts of a restored database, read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self, TypeVar

import psycopg

from restore_drill.backups.model import Entry
from restore_drill.facts.check import Check
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.records import Constraint, ForeignKey, Sequence
from restore_drill.facts.schema.model import DriftFacts

Value = TypeVar("Value")
Rule = TypeVar("Rule", ForeignKey, Constraint)


@dataclass(frozen=True)
class Facts:
    """Facts of the restored database; those of a check are had by `of`.

    `rows` counts each table exactly (`schema.table`; a partitioned table with its partitions);
    `unreadable` holds the server's message for each table that could not be read completely.
    `foreign_keys`, `constraints` and `sequences` are all there are, whole or broken; `lost_keys`
    are foreign keys that the restore could not make, since rows break them, and `lost_rules` other
    constraints and unique indexes. `missing` are
    entries of the backup that are not there, `undumpable` says why pg_dump could not list them
    again; `had_no_errors` that the restore reported none which could explain them.
    `fingerprint` is there where it was asked for and could be read; `why_no_fingerprint` says why
    it could not. So with `held`, which drift is measured by, and `unheld`; `why_no_head` says why
    the migration head could not be read, `head_error` is what the server reported of the criteria
    file's own query for it. `unread` says by part of the catalog why it is not known.
    """

    rows: dict[str, int]
    partitioned: frozenset[str] = frozenset()
    unreadable: dict[str, str] = field(default_factory=dict)
    foreign_keys: tuple[ForeignKey, ...] = ()
    lost_keys: tuple[ForeignKey, ...] = ()
    lost_rules: tuple[Constraint, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    missing: tuple[Entry, ...] = ()
    had_no_errors: bool = False
    undumpable: str = ""
    notes: tuple[str, ...] = ()
    not_checked: tuple[tuple[str, str], ...] = ()
    fingerprint: Fingerprint | None = None
    why_no_fingerprint: str = ""
    unread: dict[str, str] = field(default_factory=dict)
    held: DriftFacts | None = None
    unheld: str = ""
    why_no_head: str = ""
    head_error: psycopg.Error | None = None
    values: Mapping[Check[Any], Any] = field(default_factory=dict)

    def of(self, check: Check[Value]) -> Value:
        """What `check` has found."""
        found: Value = self.values[check]
        return found

    def why_unread(self, *rest_on: str | Check[Any]) -> str:
        """Why a part of the catalog, or that of a check, was not read, empty where all were."""
        for each in rest_on:
            part = each if isinstance(each, str) else each.part
            if part in self.unread:
                return f"{part}: the catalog could not be read: {self.unread[part]}"
        return ""

    @property
    def missing_objects(self) -> tuple[str, ...]:
        """`TABLE public.cards` for each object of the backup that is not there."""
        return tuple(f"{entry.kind} {entry.full_name}" for entry in self.missing)

    @cached_property
    def relations(self) -> set[str]:
        """Names of all tables and materialised views that have rows or constraints."""
        constrained = {each.table for each in self.constraints}
        constrained |= {key.table for key in self.foreign_keys}
        return {*self.rows, *self.unreadable} | constrained

    @cached_property
    def keys_by_table(self) -> Mapping[str, list[ForeignKey]]:
        """Foreign keys by table."""
        return by_table(self.foreign_keys)

    @cached_property
    def lost_keys_by_table(self) -> Mapping[str, list[ForeignKey]]:
        """Foreign keys that the restore could not make, by table."""
        return by_table(self.lost_keys)

    @cached_property
    def constraints_by_table(self) -> Mapping[str, list[Constraint]]:
        """Other constraints by table, first those that were lost."""
        return by_table((*self.lost_rules, *self.constraints))

    def foreign_keys_of(self, table: str) -> list[ForeignKey]:
        """Foreign keys of `table`."""
        return self.keys_by_table.get(table, [])

    def lost_keys_of(self, table: str) -> list[ForeignKey]:
        """Foreign keys of `table` that the restore could not make."""
        return self.lost_keys_by_table.get(table, [])

    def broken_constraints_of(self, table: str) -> list[Constraint]:
        """Constraints of `table` that rows break, that were lost or that cannot be checked."""
        return [each for each in self.constraints_by_table.get(table, []) if each.is_broken]

    def broken_in(self, table: str) -> list[ForeignKey | Constraint]:
        """Keys and constraints of `table` that rows break, or that cannot be checked."""
        orphaned = [key for key in self.foreign_keys_of(table) if key.is_broken]
        return [*orphaned, *self.broken_constraints_of(table)]

    def without(self, waived: Collection[ForeignKey | Constraint]) -> Self:
        """The same, but for the constraints in `waived`."""
        if not waived:
            return self
        return replace(
            self,
            foreign_keys=tuple(each for each in self.foreign_keys if each not in waived),
            constraints=tuple(each for each in self.constraints if each not in waived),
        )


def by_table(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """`rules` by their table: to look all of them through for each table takes a square's time."""
    found: defaultdict[str, list[Rule]] = defaultdict(list)
    for each in rules:
        found[each.table].append(each)
    return dict(found)

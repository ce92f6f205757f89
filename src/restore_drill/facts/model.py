"""The facts of a restored database, read once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Self

import psycopg

from restore_drill.backups.model import Entry
from restore_drill.core.units import show_count
from restore_drill.facts.recorded import Fingerprint
from restore_drill.facts.schema.model import DriftFacts


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key and its `orphans`: rows whose referenced row is missing (None: unreadable)."""

    name: str
    table: str
    columns: tuple[str, ...]
    referenced: str
    orphans: int | None
    error: str = ""
    kind: str = "foreign key"

    @property
    def is_broken(self) -> bool:
        """Whether rows break it, or it cannot be told."""
        return self.orphans != 0

    @property
    def label(self) -> str:
        """`public.cards: cards_artist_id_fkey`."""
        return f"{self.table}: {self.name}"

    @property
    def told(self) -> str:
        """`artist_id -> public.artists (cards_artist_id_fkey)`."""
        return f"{', '.join(self.columns)} -> {self.referenced} ({self.name})"

    @property
    def trouble(self) -> str:
        """`artist_id -> public.artists (cards_artist_id_fkey): 2 orphan rows`."""
        return f"{self.told}: " + (self.error or show_count(self.orphans or 0, "orphan row"))


@dataclass(frozen=True)
class Constraint:
    """A rule that the rows of `table` must meet, and how many do not (None: it cannot be told).

    `kind` is check, not null, domain, partition bound, unique or exclusion.
    """

    table: str
    kind: str
    name: str
    broken: int | None
    error: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether rows break it, or it cannot be told."""
        return self.broken != 0

    @property
    def label(self) -> str:
        """`public.cards: amount_is_positive`."""
        return f"{self.table}: {self.name or self.kind}"

    @property
    def trouble(self) -> str:
        """What is wrong with it, in words."""
        return self.told

    @property
    def told(self) -> str:
        """`check amount_is_positive: 3 rows break it`."""
        what = f"{self.kind} {self.name}".rstrip()
        if self.broken is None:
            return f"{what}: cannot be checked: {self.error}"
        return f"{what}: {show_count(self.broken, 'row breaks', 'rows break')} it"


@dataclass(frozen=True)
class Sequence:
    """A sequence, the column it feeds, the value it gives next and the column's furthest one.

    `values_left` of the `values` it can give; `near` counts the rows that hold one of the next
    values, None where that was not asked.
    """

    name: str
    column: str
    next_value: int
    furthest: int | None
    increment: int
    values_left: int = 1
    values: int = 1
    near: int | None = None
    error: str = ""

    @property
    def is_ahead(self) -> bool:
        """Whether the next value is not in use yet, nor any of those that follow it soon."""
        if self.error:
            return False
        return self.is_past_furthest or self.near == 0

    @property
    def is_past_furthest(self) -> bool:
        """Whether no value of the column is still to be given."""
        if self.furthest is None:
            return True
        return (
            self.next_value > self.furthest
            if self.increment > 0
            else self.next_value < self.furthest
        )

    @property
    def is_nearly_used_up(self) -> bool:
        """Whether less than a twentieth of its values is left."""
        return self.values_left * 20 < self.values

    @property
    def told(self) -> str:
        """`public.cards_id_seq gives 7, public.cards.id holds 200`."""
        if self.error:
            return f"{self.name} for {self.column} cannot be read: {self.error}"
        return f"{self.name} gives {self.next_value:,}, {self.column} holds {self.furthest or 0:,}"

    def with_near(self, near: int | None, error: str) -> Self:
        """The same, with the rows counted that hold one of the next values."""
        return replace(self, near=near, error=error)


@dataclass(frozen=True)
class Facts:
    """Facts of the restored database.

    `rows` counts each table exactly (`schema.table`; a partitioned table with its partitions);
    `unreadable` holds the server's message for each table that could not be read through.
    `foreign_keys`, `constraints` and `sequences` are all there are, whole or broken; the other
    tuples name what is wrong. `unexamined` says why `damage` of the storage was not looked for,
    `undumpable` why pg_dump could not list the objects again. `fingerprint` is there where it was
    asked for and could be read; `why_no_fingerprint` says why it could not. So with `held`,
    which drift is measured by, and `unheld`; `head_trouble` says why the migration head could not
    be read, `head_error` is what the server said of the criteria file's own query for it.
    `unread` says by part of the catalog why it is not known.
    """

    rows: dict[str, int]
    partitioned: frozenset[str] = frozenset()
    unreadable: dict[str, str] = field(default_factory=dict)
    foreign_keys: tuple[ForeignKey, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    unvalidated: tuple[str, ...] = ()
    invalid_indexes: tuple[str, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    entries: frozenset[Entry] = frozenset()
    missing_objects: tuple[str, ...] = ()
    unattached: tuple[str, ...] = ()
    switched_off: tuple[str, ...] = ()
    unpopulated: tuple[str, ...] = ()
    without_statistics: tuple[str, ...] = ()
    large_objects: int = 0
    lost_large_objects: tuple[str, ...] = ()
    unresolved_views: dict[str, str] = field(default_factory=dict)
    unresolved_functions: dict[str, str] = field(default_factory=dict)
    damage: tuple[str, ...] = ()
    unexamined: str = ""
    undumpable: str = ""
    notes: tuple[str, ...] = ()
    not_checked: tuple[tuple[str, str], ...] = ()
    fingerprint: Fingerprint | None = None
    why_no_fingerprint: str = ""
    unread: dict[str, str] = field(default_factory=dict)
    held: DriftFacts | None = None
    unheld: str = ""
    head_trouble: str = ""
    head_error: psycopg.Error | None = None

    def why_unread(self, *parts: str) -> str:
        """Why one of `parts` of the catalog was not read, empty where all were."""
        for part in parts:
            if part in self.unread:
                return f"{part}: the catalog could not be read: {self.unread[part]}"
        return ""

    @property
    def relations(self) -> set[str]:
        """Names of all tables and materialised views that have rows or constraints."""
        constrained = {each.table for each in self.constraints}
        constrained |= {key.table for key in self.foreign_keys}
        return {*self.rows, *self.unreadable} | constrained

    def foreign_keys_of(self, table: str) -> list[ForeignKey]:
        """Foreign keys of `table`."""
        return [key for key in self.foreign_keys if key.table == table]

    def broken_constraints_of(self, table: str) -> list[Constraint]:
        """Constraints of `table` that rows break, or that cannot be checked."""
        return [each for each in self.constraints if each.table == table and each.is_broken]

    def broken_in(self, table: str) -> list[str]:
        """What is wrong with the rows of `table`, in words."""
        orphaned = [key for key in self.foreign_keys_of(table) if key.is_broken]
        return [
            *(key.trouble for key in orphaned),
            *(constraint.told for constraint in self.broken_constraints_of(table)),
        ]

    def without(self, waived: Collection[ForeignKey | Constraint]) -> Self:
        """The same, but for the constraints in `waived`."""
        return replace(
            self,
            foreign_keys=tuple(each for each in self.foreign_keys if each not in waived),
            constraints=tuple(each for each in self.constraints if each not in waived),
        )

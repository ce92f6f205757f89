"""Records of the facts that many criteria share: foreign keys, constraints, sequences."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self

from restore_drill.core.errors import FIND
from restore_drill.core.printable import printable
from restore_drill.core.units import show_count


def with_query(problem: str, query: str) -> list[str]:
    """`problem`, and below it the `query` for its rows, as lines of what was checked.

    A query that no terminal shows as it is, for a control character in a name or value, would not
    find them once copied: it is left out.
    """
    return [problem, f" {FIND}{query}"] if query and printable(query) == query else [problem]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key and its `orphans`: rows whose referenced row is missing (None: unreadable).

    `query` finds them, where there are any. One that `is_lost` stands in the backup, and could not
    be made in the restored database.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    referenced: str
    orphans: int | None
    error: str = ""
    kind: str = "foreign key"
    is_lost: bool = False
    query: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether rows violate it, or it cannot be checked."""
        return self.orphans != 0

    @property
    def label(self) -> str:
        """`public.cards: cards_artist_id_fkey`."""
        return f"{self.table}: {self.name}"

    @property
    def description(self) -> str:
        """`artist_id -> public.artists (cards_artist_id_fkey)`."""
        return f"{', '.join(self.columns)} -> {self.referenced} ({self.name})"

    @property
    def problem(self) -> str:
        """`artist_id -> public.artists (cards_artist_id_fkey): 2 orphan rows`."""
        what = self.error or show_count(self.orphans or 0, "orphan row")
        return f"{self.description}: {what}" + ", so it was not restored" * self.is_lost

    @property
    def lines(self) -> list[str]:
        """Its problem, and the query for its rows."""
        return with_query(self.problem, self.query)

    @property
    def lines_with_table(self) -> list[str]:
        """The same, with the table's name."""
        return with_query(f"{self.table}: {self.problem}", self.query)


def why_broken(keys: Collection[ForeignKey]) -> tuple[str, str]:
    """Cause by which foreign `keys` of a table are broken, and what to say of it.

    One whose rows cannot be read is not known to have orphans.
    """
    if any(each.is_lost for each in keys):
        return "lost", "{} has orphan rows"
    if any(each.orphans for each in keys):
        return "orphans", "{} has orphan rows"
    return "unread", "foreign keys of {} cannot be checked"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule that the rows of `table` must meet, and how many do not (None: it cannot be checked).

    `kind` is check, not null, domain, partition bound, unique or exclusion. `query` finds the rows
    that break it, where there are any: of unique and exclusion all that share or overlap a key.
    One that `is_lost` stands in the backup, and could not be made in the restored database.
    """

    table: str
    kind: str
    name: str
    broken: int | None
    error: str = ""
    query: str = ""
    is_lost: bool = False

    @property
    def is_broken(self) -> bool:
        """Whether rows violate it, or it cannot be checked."""
        return self.broken != 0

    @property
    def label(self) -> str:
        """`public.cards: amount_is_positive`."""
        return f"{self.table}: {self.name or self.kind}"

    @property
    def problem(self) -> str:
        """`check amount_is_positive: 3 rows violate it`."""
        what = f"{self.kind} {self.name}".rstrip()
        if self.broken is None:
            failed = "was not restored" if self.is_lost else "cannot be checked"
            return f"{what}: {failed}: {self.error}"
        rows = show_count(self.broken, "row violates", "rows violate")
        return f"{what}: {rows} it" + ", so it was not restored" * self.is_lost

    @property
    def lines(self) -> list[str]:
        """Its problem, and the query for its rows."""
        return with_query(self.problem, self.query)

    @property
    def lines_with_table(self) -> list[str]:
        """The same, with the table's name."""
        return with_query(f"{self.table}: {self.problem}", self.query)

    def lost(self) -> Self:
        """The same, of one that the restore could not make."""
        return replace(self, is_lost=True)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence, the column it feeds, the value it gives next and the column's furthest one.

    `values_left` of the `values` it can give; `near` counts the rows that hold one of the next
    values, None where that was not asked. `query` finds the rows of `table`, the column's, that
    hold a value which is still to be given, where there are any.
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
    table: str = ""
    query: str = ""

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
    def description(self) -> str:
        """`public.cards_id_seq gives 7, public.cards.id holds 200`."""
        if self.error:
            return f"{self.name} for {self.column} cannot be read: {self.error}"
        return f"{self.name} gives {self.next_value:,}, {self.column} holds {self.furthest or 0:,}"

    @property
    def lines(self) -> list[str]:
        """Its description, and the query for the rows that it would collide with."""
        return with_query(self.description, self.query)

    def with_near(self, near: int | None, error: str) -> Self:
        """The same, with the rows counted that hold one of the next values."""
        return replace(self, near=near, error=error)

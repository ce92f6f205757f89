"""What was found in the files and by the server itself, of all databases of a recovered server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from restore_drill.core.units import show_count

SHOWN = 5
"""So many block numbers are named."""


PLACE = "place in the WAL"
"""What is wrong with a page that is of a later time than the WAL that was replayed."""


class BadPages(NamedTuple):
    """How many pages of a file have something wrong (`why`: their checksum), and the first."""

    title: str
    pages: int
    blocks: tuple[int, ...]
    why: str

    @property
    def problem(self) -> str:
        """`table public.cards: checksum of 2 pages is wrong: blocks 4, 9`."""
        which = pages_named(self.pages, self.blocks)
        if self.why == PLACE:
            return f"{self.title}: of a later time than all WAL that was replayed: {which}"
        return f"{self.title}: {self.why} of {which} is wrong"


class ZeroPages(NamedTuple):
    """All-zero pages of a table; `decided` says that an index of all its rows knows better."""

    title: str
    pages: int
    blocks: tuple[int, ...]
    decided: bool

    @property
    def told(self) -> str:
        """What there is to know of it."""
        return (
            f"all zero: {pages_named(self.pages, self.blocks)} of {self.title}: a crash while a "
            "table grows leaves such pages, so does damage, and no B-tree index of it could tell"
        )


class LostPages(NamedTuple):
    """Pages of a table that its visibility map knows, and that are not there, or all zero."""

    title: str
    pages: int
    blocks: tuple[int, ...]

    @property
    def problem(self) -> str:
        """`table public.cards: all zero or behind its end, ...: 2 pages (blocks 4, 9)`."""
        which = pages_named(self.pages, self.blocks)
        return f"{self.title}: all zero or behind its end, and VACUUM has seen rows there: {which}"


class Dangling(NamedTuple):
    """Entries of an index that meet no row of its table: how many, and blocks they point to."""

    title: str
    entries: int
    blocks: tuple[int, ...]
    all_entries: int

    @property
    def problem(self) -> str:
        """`index public.cards_pkey on public.cards: 24 entries meet no row (table's block 3)`."""
        word = "block" if len(self.blocks) == 1 else "blocks"
        where = ", ".join(map(str, self.blocks))
        return (
            f"{self.title}: {show_count(self.entries, 'entry', 'entries')} of "
            f"{self.all_entries:,} lead to rows that are not there (table's {word} {where})"
        )


@dataclass
class Pages:
    """What the files hold: so many `pages`, and so many `entries` of B-tree `indexes`.

    `checksums_on` says whether each page carries one. `cut` are files that end within a page or
    are shorter than what follows, `missing` relations without their file, `lost` pages that the
    visibility map knows and that are not there, or all zero. `zero` pages are legal, where no index
    or map says otherwise. `strays` are files that no relation owns. `sizes` are the pages of each
    relation, by its path.
    """

    checksums_on: bool = False
    pages: int = 0
    bad: list[BadPages] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    lost: list[LostPages] = field(default_factory=list)
    zero: list[ZeroPages] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    dangling: list[Dangling] = field(default_factory=list)
    entries: int = 0
    indexes: int = 0
    strays: list[str] = field(default_factory=list)
    sizes: dict[str | None, int] = field(default_factory=dict)

    def add(self, other: Pages) -> None:
        """Take in what was found of other files."""
        self.pages += other.pages
        self.entries += other.entries
        self.indexes += other.indexes
        for name in ("bad", "cut", "missing", "lost", "zero", "unreadable", "dangling"):
            getattr(self, name).extend(getattr(other, name))

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.dangling and not any(True for _ in self.problems)

    @property
    def problems(self) -> Iterator[str]:
        """All that is wrong, but for entries that dangle."""
        yield from self.missing
        yield from self.cut
        yield from self.unreadable
        yield from (each.problem for each in self.bad)
        yield from (each.problem for each in self.lost)


def pages_named(count: int, blocks: tuple[int, ...]) -> str:
    """`2 pages (blocks 4, 9)`."""
    more = ", ..." if count > len(blocks) else ""
    word = "block" if count == 1 else "blocks"
    return f"{show_count(count, 'page')} ({word} {', '.join(map(str, blocks))}{more})"

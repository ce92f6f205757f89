"""Reads the files of some tables and indexes, page by page, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from restore_drill.facts.physical.checksum import Pages as Batch
from restore_drill.facts.physical.entries import Entries
from restore_drill.facts.physical.files import Fork, read_pages
from restore_drill.facts.physical.groups import Group
from restore_drill.facts.physical.lines import Lines
from restore_drill.facts.physical.model import (
    SHOWN,
    BadPages,
    Dangling,
    LostPages,
    Pages,
    ZeroPages,
)
from restore_drill.facts.physical.page_check import PageCheck, Sums
from restore_drill.facts.physical.relations import Relation
from restore_drill.facts.physical.visible import VisibilityMap

Each = Callable[[int, Batch], None]


class Stopped(Exception):
    """The reading was stopped; nobody waits for what it gives."""


@dataclass
class Shared:
    """What all readers share: where the files lie, where WAL ends, how many pages are read."""

    data: Path
    checksums_on: bool
    end: int | None = None
    stop: Event = field(default_factory=Event)
    done: int = 0


class Reader:
    """Reads a bundle of groups; what is known only at its end is kept until then."""

    def __init__(self, shared: Shared) -> None:
        """Nothing is read yet."""
        self.shared = shared
        self.sums = Sums() if shared.checksums_on else None
        self.later: list[Callable[[], None]] = []

    def read(self, groups: Sequence[Group]) -> list[Pages]:
        """All that is to be said of each of `groups`."""
        found = [self.read_group(group) for group in groups]
        if self.sums:
            self.sums.flush()
        for each in self.later:
            each()
        return found

    def read_group(self, group: Group) -> Pages:
        """What is known of a group at once."""
        found = Pages(self.shared.checksums_on)
        for fork, title in group.forks:
            self.scan(fork, title, found)
        for fork, title in group.begun:
            zeros = self.scan(fork, title, found).zeros
            if not fork.pages or (len(zeros) and not zeros[0]):
                found.cut.append(f"{title}: its first page is lost: the file begins with nothing")
        if group.table is not None:
            self.read_table(group, *group.table, found)
        else:  # its file is missing, or unlogged
            for each in (group.map, *((fork, index.title) for fork, index in group.indexes)):
                if each:
                    self.scan(*each, found)
        return found

    def scan(self, fork: Fork, title: str, found: Pages, each: Each | None = None) -> PageCheck:
        """Check the pages of a fork, and hand them to `each`; what is wrong goes to `found`."""
        check = PageCheck(self.shared.end)
        try:
            for first, pages in read_pages(self.shared.data, fork):
                if self.shared.stop.is_set():
                    raise Stopped
                if each:
                    each(first, pages)
                counted = check.add(first, pages)
                if self.sums:
                    self.sums.add(check, first, pages, counted)
                self.shared.done += len(pages)
        except OSError as error:
            found.unreadable.append(f"{title}: its file {fork.path}: {error.strerror or error}")
        found.cut += (f"{title}: {fault}" for fault in fork.faults())
        found.pages += check.count

        def finish() -> None:
            for why, bad in check.bad.items():
                if bad.count:
                    found.bad.append(BadPages(title, bad.count, tuple(bad.blocks), why))

        self.later.append(finish)
        return check

    def read_table(self, group: Group, fork: Fork, table: Relation, found: Pages) -> None:
        """A table, then each index against it, and what its visibility map knows of it."""
        lines = Lines(fork.pages)
        zeros = self.scan(fork, table.title, found, lines.add).zeros
        for index_fork, index in group.indexes:
            entries = Entries(lines)
            self.scan(index_fork, index.title, found, entries.add)
            found.indexes += 1
            found.entries += entries.count
            if entries.lost:
                found.dangling.append(
                    Dangling(index.title, entries.lost, first_of(entries.blocks), entries.count)
                )
        if len(zeros):
            decided = any(index.is_full for _, index in group.indexes)
            found.zero.append(ZeroPages(table.title, len(zeros), first_of(zeros), decided))
        if group.map is None:
            return
        known = VisibilityMap()
        check = self.scan(*group.map, found, known.add)

        def finish() -> None:
            gone = known.missed(fork.pages, zeros)
            if len(gone) and check.is_sound:
                found.lost.append(LostPages(table.title, len(gone), first_of(gone)))

        self.later.append(finish)


def first_of(blocks: NDArray[np.int64] | NDArray[np.uint32]) -> tuple[int, ...]:
    """The first of `blocks`, as numbers."""
    return tuple(map(int, blocks[:SHOWN]))

"""What a page says of itself: its checksum, its header, whether it holds anything."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from restore_drill.facts.physical.checksum import PAGE, Pages, checksums, stored
from restore_drill.facts.physical.files import BATCH
from restore_drill.facts.physical.model import PLACE, SHOWN

FLAGS, LOWER, UPPER, SPECIAL = 5, 6, 7, 8
"""Parts of a page's header, in words of 2 bytes."""
UNKNOWN_FLAGS = 0xFFF8
HEADER, CHECKSUM = "header", "checksum"


@dataclass
class Bad:
    """How many pages are bad, and the first of them."""

    count: int = 0
    blocks: list[int] = field(default_factory=list)

    def add(self, blocks: NDArray[np.int64]) -> None:
        """Add pages that were found."""
        self.count += len(blocks)
        self.blocks += map(int, blocks[: SHOWN - len(self.blocks)])


@dataclass
class PageCheck:
    """Checks pages of one fork; their checksums come later, with those of others (`Sums`).

    No page is of a place in the WAL behind the `end` of it, where that is known: it would be of a
    later time than the rest. `zero` are blocks of all-zero pages: as many as half a table may be
    after a crash.
    """

    end: int | None = None
    bad: dict[str, Bad] = field(
        default_factory=lambda: {HEADER: Bad(), CHECKSUM: Bad(), PLACE: Bad()}
    )
    zero: list[NDArray[np.int64]] = field(default_factory=list)
    count: int = 0

    def add(self, first: int, pages: Pages) -> NDArray[np.bool_]:
        """Check `pages`, the first one being block `first`; which of them have a checksum."""
        self.count += len(pages)
        if self.end is not None:
            words = pages.view(np.uint32)
            later = words[:, 0] >= np.uint32(self.end >> 32)
            if later.any():
                place = (words[:, 0].astype(np.uint64) << np.uint64(32)) | words[:, 1]
                self.bad[PLACE].add(np.flatnonzero(place > np.uint64(self.end)) + first)
        halves = pages.view(np.uint16)
        flags, lower, upper, special = (halves[:, at] for at in (FLAGS, LOWER, UPPER, SPECIAL))
        is_new = upper == 0
        sound: NDArray[np.bool_] = (
            (flags & UNKNOWN_FLAGS == 0) & (lower <= upper) & (upper <= special)
        )
        sound &= (special <= PAGE) & (special & 7 == 0) & ~is_new
        if sound.all():
            return sound
        new = np.flatnonzero(is_new)
        empty = new[~pages[new].any(axis=1)]
        self.zero.append(empty + first)
        wrong = ~sound
        wrong[empty] = False
        self.bad[HEADER].add(np.flatnonzero(wrong) + first)
        return sound

    @property
    def zeros(self) -> NDArray[np.int64]:
        """All blocks that are all zero."""
        return np.concatenate(self.zero) if self.zero else np.empty(0, dtype=np.int64)

    @property
    def is_sound(self) -> bool:
        """Whether no page is bad."""
        return not any(each.count for each in self.bad.values())


class Sums:
    """Checksums of many files at a time: by itself a small one takes as long as 300 pages."""

    def __init__(self) -> None:
        """No page waits."""
        self.pages = np.empty((BATCH, PAGE), dtype=np.uint8)
        self.blocks = np.empty(BATCH, dtype=np.uint32)
        self.counted = np.empty(BATCH, dtype=bool)
        self.owners: list[tuple[PageCheck, int, int]] = []
        self.waiting = 0

    def add(self, check: PageCheck, first: int, pages: Pages, counted: NDArray[np.bool_]) -> None:
        """Take `pages` in, of which those `counted` have a checksum; what is wrong is `check`'s."""
        blocks = np.arange(first, first + len(pages), dtype=np.uint32)
        if len(pages) > BATCH // 2:
            note_wrong(check, pages, blocks, counted)
            return
        if self.waiting + len(pages) > BATCH:
            self.flush()
        begin, end = self.waiting, self.waiting + len(pages)
        self.pages[begin:end], self.blocks[begin:end] = pages, blocks
        self.counted[begin:end] = counted
        self.owners.append((check, begin, end))
        self.waiting = end

    def flush(self) -> None:
        """Look at all that wait."""
        pages, blocks = self.pages[: self.waiting], self.blocks[: self.waiting]
        wrong = (stored(pages) != checksums(pages, blocks)) & self.counted[: self.waiting]
        if wrong.any():
            for check, begin, end in self.owners:
                check.bad[CHECKSUM].add(blocks[begin:end][wrong[begin:end]].astype(np.int64))
        self.owners.clear()
        self.waiting = 0


def note_wrong(
    check: PageCheck, pages: Pages, blocks: NDArray[np.uint32], counted: NDArray[np.bool_]
) -> None:
    """Note those of `pages` whose checksum is wrong."""
    wrong = (stored(pages) != checksums(pages, blocks)) & counted
    check.bad[CHECKSUM].add(blocks[wrong].astype(np.int64))

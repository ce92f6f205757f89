"""Line pointers of a table: which of them are in use, so that an index entry may point there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restore_drill.facts.physical.checksum import Pages

HEADER = 24
"""Bytes of a page's header; line pointers of 4 bytes follow it."""
MOST = 291
"""Line pointers of a page of a table at most (MaxHeapTuplesPerPage)."""
LOWER = 6
"""Where a page says how far its line pointers go, in words of 2 bytes."""
STATE = np.uint32(0x18000)
"""The state in a line pointer: 0 is unused, else it is a row, leads to one, or is dead."""
HOLES = np.uint16(0x8000)


def count_lines(pages: Pages) -> NDArray[np.int32]:
    """Line pointers of each of `pages`; none of one whose header makes no sense."""
    lower = pages.view(np.uint16)[:, LOWER].astype(np.int32)
    lower[(lower < HEADER) | (lower > pages.shape[1])] = HEADER
    return (lower - HEADER) >> 2


class Lines:
    """Line pointers in use of one table: how many each page has, and those within that are not.

    Two bytes a page, and 37 more for one with unused line pointers: at most half a percent.
    """

    def __init__(self, pages: int) -> None:
        """Nothing is known yet of so many pages."""
        self.last = np.zeros(max(pages, 1), dtype=np.uint16)
        self.pages = pages
        self.with_holes: list[NDArray[np.int64]] = []
        self.used: list[NDArray[np.uint8]] = []
        self.joined: tuple[NDArray[np.int64], NDArray[np.uint8]] | None = None

    def add(self, first: int, pages: Pages) -> None:
        """Note the line pointers of `pages`, the first one being block `first`."""
        counts = np.minimum(count_lines(pages), MOST)
        self.last[first : first + len(pages)] = counts
        most = int(counts.max(initial=0))
        states = pages.view(np.uint32)[:, HEADER // 4 : HEADER // 4 + most] & STATE
        used = states != 0
        # Behind its last line pointer a page holds anything; pages of a table are alike, so
        # only those whose count of used ones is less are looked through.
        inside = np.arange(most, dtype=np.int32) < counts[:, None]
        used &= inside
        holes = np.flatnonzero(np.count_nonzero(used, axis=1) < counts)
        if len(holes):
            kept = np.zeros((len(holes), MOST), dtype=bool)
            kept[:, :most] = used[holes]
            self.used.append(np.packbits(kept, axis=1))
            self.with_holes.append(holes + first)
            self.last[holes + first] |= HOLES
            self.joined = None

    def lost(self, blocks: NDArray[np.uint32], numbers: NDArray[np.uint16]) -> NDArray[np.int64]:
        """Which of the places (block, number from 1) are no line pointer in use, by position."""
        last = self.last.take(blocks, mode="clip")
        bad = numbers - np.uint16(1) >= (last & ~HOLES)
        bad |= blocks >= self.pages
        doubtful = np.flatnonzero((last >= HOLES) & ~bad)
        if len(doubtful):
            places, used = self.holes()
            row = np.searchsorted(places, blocks[doubtful])
            number = numbers[doubtful].astype(np.int64) - 1
            bits = used[row, number >> 3] >> (7 - (number & 7)).astype(np.uint8)
            bad[doubtful[(bits & 1) == 0]] = True
        return np.flatnonzero(bad)

    def holes(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Pages with unused line pointers, and a bit for each that is used."""
        if self.joined is None:
            self.joined = (np.concatenate(self.with_holes), np.concatenate(self.used))
            self.with_holes, self.used = [self.joined[0]], [self.joined[1]]
        return self.joined

"""Entries of a B-tree index: the rows that its leaf pages point to, of many pages at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from restore_drill.facts.physical.checksum import PAGE, WORDS, Pages
from restore_drill.facts.physical.lines import HEADER, STATE, Lines, count_lines
from restore_drill.facts.physical.model import SHOWN

SPECIAL, SPECIAL_AT = 8, PAGE - 16
"""Where a page says where its special part begins (in words of 2 bytes), and where that is."""
LEAF, NOT_LIVE = 1, 4 | 8 | 16
"""Flags: a leaf page; deleted, the meta page, half dead."""
NEXT, FLAGS = WORDS - 3, WORDS - 1
"""Where a page names the next one, and its flags, in words of 4 bytes."""
OFFSET = np.uint32(0x7FFF)
ALTERNATIVE = np.uint64(0x2000 << 48)
"""In an entry's head: it points to no single row."""
IS_LIST, LIST_LENGTH = 0x2000, 0x0FFF


class Places(NamedTuple):
    """Places of rows: block and number of the line pointer, and the index's page of each entry."""

    blocks: NDArray[np.uint32]
    numbers: NDArray[np.uint16]
    pages: NDArray[np.int64]


def places_of(pages: Pages, first: int) -> Iterator[Places]:
    """All rows that leaf pages among `pages` point to, the first one being block `first`."""
    words = pages.view(np.uint32)
    flags = words[:, FLAGS] & 0xFFFF
    is_leaf = (flags & LEAF != 0) & (flags & NOT_LIVE == 0)
    leaves = np.flatnonzero(is_leaf & (pages.view(np.uint16)[:, SPECIAL] == SPECIAL_AT))
    if not len(leaves):
        return
    counts = count_lines(pages)[leaves]
    most = int(counts.max())
    lines = words[leaves, HEADER // 4 : HEADER // 4 + most]
    number = np.arange(most, dtype=np.int32)
    # The first entry of a page that is not the last one is its high key.
    begins = (words[leaves, NEXT] != 0).astype(np.int32)
    inside = (number >= begins[:, None]) & (number < counts[:, None]) & (lines & STATE != 0)
    offsets = (lines & OFFSET).astype(np.int64)
    inside &= (offsets >= HEADER) & (offsets <= SPECIAL_AT - 8) & (offsets & 7 == 0)
    starts = (offsets + leaves[:, None] * PAGE)[inside]
    heads = pages.reshape(-1).view(np.uint64).take(starts >> 3)
    alternative = heads & ALTERNATIVE != 0
    plain = heads[~alternative]
    yield Places(
        block_of(plain), (plain >> 32).astype(np.uint16), first + starts[~alternative] // PAGE
    )
    if alternative.any():
        yield from lists(pages, starts[alternative], heads[alternative], first)


def block_of(heads: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Block in the head of an entry, which has the upper half of it first."""
    low = heads.astype(np.uint32)
    return (low << np.uint32(16)) | (low >> np.uint32(16))


def lists(
    pages: Pages, starts: NDArray[np.int64], heads: NDArray[np.uint64], first: int
) -> Iterator[Places]:
    """Rows of entries that hold a list of them (deduplicated, PostgreSQL 13 and newer)."""
    numbers = (heads >> 32).astype(np.uint16).astype(np.int64)
    lengths = numbers & LIST_LENGTH
    begins = starts + block_of(heads)
    within = begins // PAGE == starts // PAGE
    within &= (begins + 6 * lengths - 1) // PAGE == starts // PAGE
    kept = (numbers & IS_LIST != 0) & within & (lengths > 0) & (begins & 1 == 0)
    lengths, begins = lengths[kept], begins[kept]
    if not len(lengths):
        return
    ends = np.cumsum(lengths)
    place = np.arange(int(ends[-1]), dtype=np.int64) - np.repeat(ends - lengths, lengths)
    at = np.repeat(begins >> 1, lengths) + 3 * place
    halves = pages.reshape(-1).view(np.uint16)
    blocks = (halves.take(at).astype(np.uint32) << np.uint32(16)) | halves.take(at + 1)
    yield Places(blocks, halves.take(at + 2), first + (2 * at) // PAGE)


class Entries:
    """Entries of one index, held against the `lines` of its table."""

    def __init__(self, lines: Lines) -> None:
        """None yet."""
        self.lines = lines
        self.count = 0
        self.lost = 0
        self.blocks: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)

    def add(self, first: int, pages: Pages) -> None:
        """Look up what `pages` point to."""
        for places in places_of(pages, first):
            self.count += len(places.blocks)
            lost = self.lines.lost(places.blocks, places.numbers)
            if len(lost):
                self.lost += len(lost)
                more = np.concatenate((self.blocks, places.blocks[lost]))
                self.blocks = np.unique(more)[:SHOWN]

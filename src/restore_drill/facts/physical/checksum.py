"""PostgreSQL's checksum of a page, of many pages at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAGE = 8192
"""Bytes of a page; a server that was built with another size is told, and not read."""
WORDS = PAGE // 4
LANES = 32
PRIME = np.uint32(16777619)
SHIFT = np.uint32(17)
STORED, OTHERS = 8, np.uint32(0xFFFF0000)
"""Where a page keeps its checksum, and what else is in that word."""

BASES = np.array([
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
], dtype=np.uint32)  # fmt: skip
"""Where each of its sums begins (checksum_impl.h)."""

Pages = NDArray[np.uint8]
"""Pages, one a row."""


def checksums(pages: Pages, blocks: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """Checksum of each of `pages`, which are these `blocks` of their relations.

    That which is stored in a page is blanked there, since it does not count.
    """
    words = pages.view(np.uint32)
    words[:, STORED // 4] &= OTHERS
    sums = np.empty((len(pages), LANES), dtype=np.uint32)
    sums[:] = BASES
    high = np.empty_like(sums)
    for at in range(0, WORDS, LANES):
        sums ^= words[:, at : at + LANES]
        mix(sums, high)
    for _ in range(2):
        mix(sums, high)
    found: NDArray[np.uint32] = np.bitwise_xor.reduce(sums, axis=1)
    found ^= blocks
    found %= np.uint32(65535)
    found += np.uint32(1)
    return found.astype(np.uint16)


def mix(sums: NDArray[np.uint32], high: NDArray[np.uint32]) -> None:
    """One round over all sums, in place; `high` is room for it."""
    np.right_shift(sums, SHIFT, out=high)
    np.multiply(sums, PRIME, out=sums)
    np.bitwise_xor(sums, high, out=sums)


def stored(pages: Pages) -> NDArray[np.uint16]:
    """Checksum that each of `pages` holds."""
    return pages.view(np.uint16)[:, STORED // 2].copy()

"""The visibility map: pages on which VACUUM has seen rows cannot be gone, or all zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restore_drill.facts.physical.checksum import Pages
from restore_drill.facts.physical.lines import HEADER

A_BYTE = 4
"""Pages of a table that a byte of the map speaks of: two bits each."""
SEEN = 0b01
"""The bit by which all rows of a page are known to be visible, so that there is such a page."""


class VisibilityMap:
    """The map of one table, page by page."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.parts: list[NDArray[np.uint8]] = []

    def add(self, _: int, pages: Pages) -> None:
        """Take in pages of the map."""
        self.parts.append(pages[:, HEADER:].reshape(-1).copy())

    def missed(self, pages: int, zeros: NDArray[np.int64]) -> NDArray[np.int64]:
        """Blocks that it has, and that are among `zeros` or behind the last of so many `pages`."""
        if not self.parts:
            return np.empty(0, dtype=np.int64)
        bits = np.concatenate(self.parts)
        zeros = zeros[zeros < len(bits) * A_BYTE]
        place = (2 * (zeros % A_BYTE)).astype(np.uint8)
        known = zeros[(bits[zeros // A_BYTE] >> place) & SEEN != 0]
        first = pages // A_BYTE
        rest = np.arange(first * A_BYTE, len(bits) * A_BYTE)
        places = (2 * (rest % A_BYTE)).astype(np.uint8)
        is_seen = (np.repeat(bits[first:], A_BYTE) >> places) & SEEN != 0
        return np.concatenate((known, rest[is_seen & (rest >= pages)]))

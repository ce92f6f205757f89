"""A stream that is made of another one: all that is needed is what it gives next."""

from __future__ import annotations

import io
from typing import Any


class Reading(io.RawIOBase):
    """A binary stream to be read from the front; each kind says what it gives."""

    def give(self, size: int) -> bytes | memoryview:
        """At most `size` bytes, none at the end."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as there is data."""
        data = self.give(len(buffer))
        buffer[: len(data)] = data
        return len(data)

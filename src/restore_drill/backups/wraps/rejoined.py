"""A stream whose first bytes were read to see what it is."""

from __future__ import annotations

import io
from typing import IO

from restore_drill.backups.reading import Reading


class Rejoined(Reading):
    """The `head` that was read from a `stream`, and the rest of it."""

    def __init__(self, head: bytes, stream: IO[bytes], *, owns: bool = False) -> None:
        """Begin at the first byte of the head; it `owns` the stream if it is to close it."""
        self.owns = owns
        self.head = head
        self.stream = stream

    def give(self, size: int) -> bytes:
        """Of the head, then of the rest."""
        if not self.head:
            return self.stream.read(size)
        data, self.head = self.head[:size], self.head[size:]
        return data

    def close(self) -> None:
        """Close the stream as well, where it is a program's."""
        if self.owns:
            self.stream.close()
        super().close()


def peeked(stream: IO[bytes], size: int) -> tuple[bytes, IO[bytes]]:
    """The first bytes of `stream`, at most `size`, and the whole of it."""
    head = b""
    while len(head) < size and (piece := stream.read(size - len(head))):
        head += piece
    return head, io.BufferedReader(Rejoined(head, stream), 1 << 18)

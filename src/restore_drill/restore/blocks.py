"""The rows of a plain dump, COPY block by COPY block, for the connections that load them.

Rows are never held in memory: a block is a range of the dump itself, or of a spool file where the
dump is compressed. A block may be read while it still grows.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes

PIECE = 1 << 18
"""Bytes given to libpq at once."""


class Block:
    """The rows of one COPY: `size` bytes at `start` of the file `descriptor`, while they grow."""

    def __init__(self, descriptor: int) -> None:
        """Empty block."""
        self.descriptor = descriptor
        self.start = 0
        self.size = 0
        self.is_complete = False
        self.is_cut = False
        self.grown = threading.Condition()

    def grow(self, start: int, size: int) -> None:
        """Add `size` bytes, which lie at `start` and behind those before."""
        with self.grown:
            self.start = self.start if self.size else start
            self.size += size
            self.grown.notify_all()

    def end(self, *, cut: bool = False) -> None:
        """No more bytes will come, because the rows end or the dump was `cut`."""
        with self.grown:
            self.is_complete, self.is_cut = True, cut
            self.grown.notify_all()

    def wait_for(self, size: int, stop: threading.Event) -> int:
        """How many bytes there are: `size` at least, unless no more come or `stop` is set."""
        with self.grown:
            while self.size < size and not self.is_complete and not stop.is_set():
                self.grown.wait(0.2)
            return self.size

    def at(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on; OSError where there are none any more."""
        piece = os.pread(self.descriptor, min(size, self.size - offset), self.start + offset)
        if not piece:
            raise OSError("the dump became shorter while it was being restored")
        return piece

    def read(self, begin: int, end: int, stop: threading.Event) -> Iterator[bytes]:
        """The bytes from `begin` to `end`, which are there, unless `stop` is set."""
        while begin < end and not stop.is_set():
            piece = self.at(begin, min(PIECE, end - begin))
            begin += len(piece)
            yield piece

    def pieces(self, stop: threading.Event) -> Iterator[bytes]:
        """All its bytes in order, waiting for those to come unless `stop` is set."""
        done = 0
        while (here := self.wait_for(done + 1, stop)) > done and not stop.is_set():
            yield from self.read(done, here, stop)
            done = here


class Blocks:
    """Makes the blocks of one dump, in its order."""

    def __init__(self, dump: IO[bytes] | None) -> None:
        """Blocks that lie in the file `dump`, or in a spool of their own where that is None."""
        self.spool: IO[bytes] | None = None
        if dump is None:
            self.spool = tempfile.TemporaryFile(prefix="restore-drill-spool-")  # noqa: SIM115
        source = dump or self.spool
        assert source is not None
        self.descriptor = source.fileno()
        self.spooled = 0

    def new(self) -> Block:
        """A new empty block."""
        return Block(self.descriptor)

    def add(self, block: Block, data: bytes, end: int) -> None:
        """Add `data`, which ends at offset `end` of the dump, to `block`."""
        if self.spool is None:
            block.grow(end - len(data), len(data))
            return
        view = memoryview(data)
        try:
            while view:
                done = self.spooled + len(data) - len(view)
                view = view[os.pwrite(self.descriptor, view, done) :]
        except OSError as error:
            raise CouldNotRun(
                f"not enough space to spool the rows of the dump: {error.strerror}",
                checked=[f"{tempfile.gettempdir()}, {show_bytes(self.spooled)} written"],
                remedy=remedy_for("machine", "disk_full"),
            ) from None
        block.grow(self.spooled, len(data))
        self.spooled += len(data)

    def pass_over(self, block: Block, size: int, end: int) -> None:
        """Add `size` bytes that were not read to `block`: they lie in the dump, up to `end`."""
        assert self.spool is None
        block.grow(end - size, size)

    def add_apart(self, block: Block, data: bytes, end: int, lines: int) -> None:
        """As `add`, with what stands before `data` in the dump, or as many empty `lines`."""
        if self.spool is not None:
            self.add(block, b"\n" * lines + data, end)
        else:
            block.grow(end - len(data), end - block.start - block.size if block.size else len(data))

    def close(self) -> None:
        """Give the spool's room back."""
        if self.spool is not None:
            self.spool.close()

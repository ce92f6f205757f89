"""What is done to the bytes of a file, as a fault of a disk or of a transfer does."""

from __future__ import annotations

import struct
from collections.abc import Callable

from restore_drill.facts.physical.checksum import PAGE

GONE = b"gone"
"""What a file holds that is to be removed."""
Place = Callable[[bytearray], int]


def head(page: int, more: int = 0, number: int = 1) -> Place:
    """Where a row of a page begins in the file, and so many bytes behind that."""

    def place(content: bytearray) -> int:
        (line,) = struct.unpack_from("<I", content, page * PAGE + 24 + 4 * (number - 1))
        return page * PAGE + int(line & 0x7FFF) + more

    return place


def in_row(page: int, more: int = 0, number: int = 1) -> Place:
    """Where the values of a row begin, and so many bytes behind that."""

    def place(content: bytearray) -> int:
        begin = head(page, 0, number)(content)
        return begin + content[begin + 22] + more

    return place


def at(offset: int) -> Place:
    """A place of the file."""
    return lambda _: offset


def zeroed(page: int) -> Callable[[bytearray], None]:
    """A page of zeros."""

    def do(content: bytearray) -> None:
        content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)

    return do


def cut(page: int) -> Callable[[bytearray], None]:
    """The file ends in front of a page."""

    def do(content: bytearray) -> None:
        del content[page * PAGE :]

    return do


def put(place: Place, new: bytes) -> Callable[[bytearray], None]:
    """Other bytes at a place."""

    def do(content: bytearray) -> None:
        begin = place(content)
        content[begin : begin + len(new)] = new

    return do


def flipped(place: Place, bit: int = 0) -> Callable[[bytearray], None]:
    """A bit flipped at a place."""

    def do(content: bytearray) -> None:
        content[place(content)] ^= 1 << bit

    return do


def gone(content: bytearray) -> None:
    """No file."""
    content[:] = GONE

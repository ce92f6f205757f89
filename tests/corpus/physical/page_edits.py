"""Edits of the files of relations beyond those of one page: pages that change places, and ends."""

from __future__ import annotations

from collections.abc import Callable

from restore_drill.facts.physical.checksum import PAGE
from tests.facts.physical.damages import zeroed

Edit = Callable[[bytearray], None]


def within(page: int, more: int) -> Edit:
    """The file ends so many bytes behind the begin of a page."""

    def do(content: bytearray) -> None:
        assert len(content) > page * PAGE + more
        del content[page * PAGE + more :]

    return do


def swapped(one: int, other: int) -> Edit:
    """Two pages, each in the place of the other."""

    def do(content: bytearray) -> None:
        first, second = (slice(n * PAGE, (n + 1) * PAGE) for n in (one, other))
        content[first], content[second] = content[second], content[first]

    return do


def longer(data: bytes) -> Edit:
    """Bytes behind the end of the file."""
    return lambda content: content.extend(data)


def last_zeroed(content: bytearray) -> None:
    """Zeros in the last page."""
    zeroed(len(content) // PAGE - 1)(content)

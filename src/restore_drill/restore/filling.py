"""The INSERTs of one table, as they come in and as a connection reads them."""

from __future__ import annotations

from dataclasses import dataclass

from restore_drill.restore.blocks import Block
from restore_drill.restore.relations import Table
from restore_drill.restore.session import Session
from restore_drill.restore.steps import Settings
from restore_drill.restore.wire import GivenUp


class NotAsCopy(Exception):
    """Some of the rows cannot go as COPY, or only under another list of columns."""


@dataclass
class Filling:
    """INSERTs into `table`, which is `name` in SQL, as they come in, from `line` of the dump on.

    It `is_given` as long as none of its rows was found to take a default.
    """

    line: int
    table: Table
    name: bytes
    block: Block
    settings: Settings
    is_submitted: bool = False
    is_given: bool = True


class BlockStream:
    """What is in a block, as a stream."""

    def __init__(self, block: Block, session: Session) -> None:
        """Read `block` for `session`."""
        self.session = session
        self.pieces = block.pieces(session.stop)

    def read(self, _size: int = -1, /) -> bytes:
        """The next piece; GivenUp where all is to end."""
        piece = next(self.pieces, b"")
        if self.session.stop.is_set():
            raise GivenUp
        return piece


@dataclass
class Count:
    """How many statements there were."""

    statements: int = 0

"""Outcomes of transactions (pg_xact): a page of nothing has lost what was committed.

A row whose transaction is in no hint bit is then taken for one of a crash, and is gone; no
checksum covers these files, and amcheck takes them at their word.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from restore_drill.facts.physical.checksum import PAGE
from restore_drill.facts.session import Connection

FOLDER = "pg_xact"
A_BYTE = 4
"""Transactions of which a byte has the outcome."""
A_PAGE = PAGE * A_BYTE
PAGES = 32
"""Pages of a file."""
ALL = 1 << 32
"""Transaction numbers, after which they begin anew."""
NUMBERS = """
SELECT split_part(next_xid::text, ':', 1)::bigint, split_part(next_xid::text, ':', 2)::bigint,
    oldest_xid::text::bigint
FROM pg_catalog.pg_control_checkpoint()
"""


class Known(NamedTuple):
    """Transactions whose outcome must be known: from the `oldest` up to before the `next` one."""

    oldest: int
    next: int


def read_known(connection: Connection) -> Known:
    """The transactions of which a server that was just checkpointed keeps the outcome."""
    row = connection.execute(NUMBERS.encode()).fetchone()
    assert row is not None
    epoch, number, oldest = map(int, row)
    following = epoch * ALL + number
    return Known(following - (number - oldest) % ALL, following)


def lost_outcomes(data: Path, known: Known) -> Iterator[str]:
    """What is lost of the outcomes of `known` in the files below `data`.

    The pages at the end may be of nothing: of one large transaction with many savepoints that a
    crash has ended. Between others no page is.
    """
    pages = range(-(-known.oldest // A_PAGE), known.next // A_PAGE)
    states = [(page, state_of(data, page % (ALL // A_PAGE))) for page in pages]
    while states and states[-1][1] == EMPTY:
        states.pop()
    for state in (MISSING, EMPTY):
        lost = [page for page, found in states if found == state]
        if lost:
            first = lost[0] * A_PAGE % ALL
            yield (
                f"outcomes of transactions ({FOLDER}): {len(lost) * A_PAGE:,} from {first} on are"
                f" {state}: rows that they have committed are gone"
            )


MISSING, EMPTY = "missing", "all zero"


def state_of(data: Path, page: int) -> str:
    """MISSING or EMPTY for a page of outcomes of nothing; empty for one that has some."""
    name = data / FOLDER / f"{page // PAGES:04X}"
    try:
        with name.open("rb") as file:
            file.seek(page % PAGES * PAGE)
            found = file.read(PAGE)
    except FileNotFoundError:
        return MISSING
    if len(found) < PAGE:
        return MISSING
    return "" if found.strip(b"\0") else EMPTY

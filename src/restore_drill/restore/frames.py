"""The transactions that pg_dump writes around large objects, and no others."""

from __future__ import annotations

BEGIN, COMMIT = b"BEGIN;", b"COMMIT;"
OPEN, CLOSE = b"SELECT pg_catalog.lo_open(", b"SELECT pg_catalog.lo_close("


class Frames:
    """Follows those of one dump, so that they may be left out within one transaction.

    The end of a transaction closes what is open in it: each object is to be closed before, and
    opened within one, else the next `lowrite(0, ...)` would be about another object.
    """

    def __init__(self) -> None:
        """Begin outside of one, with no object `opened`."""
        self.is_within = False
        self.opened = 0

    def take(self, sql: bytes) -> bool:
        """Whether `sql`, which begins or ends a transaction, is one of them."""
        if self.opened or sql != (COMMIT if self.is_within else BEGIN):
            return False
        self.is_within = not self.is_within
        return True

    def pass_by(self, sql: bytes) -> bool:
        """Whether any other `sql` may stand where it does."""
        self.opened += sql.startswith(OPEN) - sql.startswith(CLOSE)
        return self.is_within or not sql.startswith(OPEN)

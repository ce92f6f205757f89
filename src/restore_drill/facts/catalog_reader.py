"""Reads the catalog part by part: a query that fails costs its own part, never the verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString, TypeVar

import psycopg

from restore_drill.core.names import apart
from restore_drill.core.server_errors import error_text
from restore_drill.facts.answers import Row
from restore_drill.facts.session import Connection

Result = TypeVar("Result")

OURS = ("53", "57")
"""Classes of SQLSTATE of a server that lacks memory or disk, or is being stopped."""


class CatalogReader:
    """Reads on one `connection`; `unread` says by part why it could not be read.

    The criteria that need such a part are skipped. A lost server is no part: its error is raised.
    """

    def __init__(self, connection: Connection) -> None:
        """Nothing is read yet."""
        self.connection = connection
        self.unread: dict[str, str] = {}

    def read(self, part: str, work: Callable[[], Result], otherwise: Result) -> Result:
        """What `work` gives, or `otherwise` where the server cannot answer it."""
        try:
            return work()
        except psycopg.Error as error:
            if self.connection.broken or (error.sqlstate or "")[:2] in OURS:
                raise
            self.unread.setdefault(part, error_text(error))
            return otherwise

    def rows(self, part: str, query: LiteralString) -> list[Row]:
        """All rows of `query`; none where the part is unread."""
        return self.read(
            part, lambda: self.connection.execute(apart(query).encode()).fetchall(), []
        )

"""Fingerprints of the restored database, taken in the passes that count its rows."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial

import psycopg

from restore_drill.core.server_errors import error_text
from restore_drill.facts.plan import PAGE, Plan
from restore_drill.facts.pool import Connection
from restore_drill.facts.reading import facts_of
from restore_drill.facts.recorded import Fingerprint, TableFacts
from restore_drill.facts.schema.kinds import Parts
from restore_drill.facts.schema.outline import Outline, outline_of

EFFORT = 4.0
"""What the fingerprints of a page cost with its count, where the count alone costs 1."""
DEFINITIONS = 20
"""What reading the definition of a table costs, likewise."""


class Prints:
    """What is read besides, for a comparison with a manifest of the version `as_major`.

    `relations` are the tables that are passed over, by name; `error` says why nothing can
    be compared.
    """

    def __init__(self, plan: Plan, connection: Connection, as_major: int) -> None:
        """Plan what is to be read."""
        self.error = ""
        self.as_major = as_major
        self.parts: Parts | None = None
        self.outline = Outline([], {})
        try:
            self.outline = outline_of(connection)
        except psycopg.Error as error:
            if connection.broken:
                raise
            self.error = error_text(error)
        held = {each.name: each for each in self.outline.relations if each.has_rows}
        self.relations = {name: each for name, each in held.items() if each.kind == "r"}
        cost = DEFINITIONS * len(self.outline.relations)
        self.rest = plan.add("definitions", self.read_rest, pages=cost)
        self.views: dict[str, Future[TableFacts]] = {
            name: plan.add(
                f"content of {name}",
                partial(facts_of, relation=each),
                pages=each.size // PAGE,
                effort=EFFORT,
            )
            for name, each in held.items()
            if each.kind == "m"
        }

    def read_rest(self, connection: Connection) -> Fingerprint | None:
        """All but the rows, None where it cannot be read."""
        try:
            fingerprint, self.parts = self.outline.read_rest(connection, as_major=self.as_major)
        except psycopg.Error as error:
            if connection.broken:
                raise
            self.error = self.error or error_text(error)
            return None
        return fingerprint

    def fingerprint(self, content: Mapping[str, TableFacts]) -> Fingerprint | None:
        """Fingerprint of the database with the `content` of its tables, None without one."""
        found = self.rest.result()
        if found is None or self.error:
            return None
        views = {name: future.result() for name, future in self.views.items()}
        found.tables.update(sorted({**content, **views}.items()))
        return found

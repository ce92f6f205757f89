"""Reads what drift is measured by, in the plan of all facts."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

import psycopg

from restore_drill.core.server_errors import error_text
from restore_drill.facts.fingerprints import Fingerprinting
from restore_drill.facts.model import Facts
from restore_drill.facts.plan import Plan
from restore_drill.facts.schema.all_kinds import GROUPS
from restore_drill.facts.schema.heads import Heads, read_heads
from restore_drill.facts.schema.kinds import Kind, read_parts
from restore_drill.facts.schema.model import DriftFacts, Objects, definitions
from restore_drill.facts.session import Connection

DEFINITIONS = 200
"""What reading the definitions costs in pages: as much as it takes to be among the first jobs."""


@dataclass(frozen=True)
class Wanted:
    """That the facts for drift are wanted; `head` is the criteria file's query, if there is one."""

    head: str | None = None


class Shape:
    """The schema and the migration heads, read beside the other facts.

    Where the definitions are read for a manifest anyway, they are `given` and not read again.
    """

    def __init__(self, plan: Plan, connection: Connection, wanted: Wanted) -> None:
        """Plan what is to be read."""
        self.error = ""
        self.why_no_head = ""
        self.head_error: psycopg.Error | None = None
        self.wanted = wanted
        self.plan = plan
        self.major = connection.info.server_version // 10000
        self.role = connection.info.user
        self.objects: list[Future[Objects]] = []
        self.heads = plan.add("migration head", self.read_heads)

    def read_definitions(self) -> None:
        """Plan that the definitions are read, in jobs that can go side by side."""
        for kinds in GROUPS:
            work = partial(self.read_kinds, kinds=kinds)
            self.objects.append(self.plan.add("definitions", work, pages=DEFINITIONS))

    def read_kinds(self, connection: Connection, kinds: tuple[Kind, ...]) -> Objects:
        """Definitions of the objects of `kinds`."""
        try:
            with connection.transaction():
                found = read_parts(connection, kinds, major=self.major, as_major=self.major)
                return {kind: definitions(kind, objects) for kind, objects in found}
        except psycopg.Error as error:
            if connection.broken:
                raise
            self.error = self.error or error_text(error)
            return {}

    def read_heads(self, connection: Connection) -> Heads:
        """Migration heads; an empty answer where they cannot be read."""
        try:
            found, why = read_heads(connection, self.wanted.head)
            self.why_no_head, self.head_error = (why, None) if isinstance(why, str) else ("", why)
        except psycopg.Error as error:
            if connection.broken:
                raise
            self.why_no_head = error_text(error)
            return {}
        return found

    def added_to(self, facts: Facts, contents: Fingerprinting | None) -> Facts:
        """`facts` with what was read; definitions that `contents` has read are not read again."""
        objects: Objects = contents.rest.result()[1] if contents else {}
        for future in self.objects:
            objects |= future.result()
        error = self.error or (contents.error if contents else "")
        held = DriftFacts(
            major=self.major,
            role=self.role,
            privileges_of=min(self.major, contents.as_major) if contents else self.major,
            objects=objects,
            heads=self.heads.result(),
        )
        return replace(
            facts,
            held=None if error else held,
            unheld=error,
            why_no_head=self.why_no_head,
            head_error=self.head_error,
        )

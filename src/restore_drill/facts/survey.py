"""What the readers of facts share: the catalog, the plan, and what is not checked."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, LiteralString, TypeVar, cast

from restore_drill.backups.model import Contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some as first_of
from restore_drill.facts.answers import Row
from restore_drill.facts.catalog import FAR, TABLES, USER_SCHEMA, Table
from restore_drill.facts.catalog_reader import CatalogReader
from restore_drill.facts.copied import Copied
from restore_drill.facts.plan import Plan

ELSEWHERE = "its rows are on another server (foreign tables), which a drill does not contact"
UNENFORCED = "it is NOT ENFORCED: rows need not meet it"
FAR_PART = "what lies on other servers"
SHOWN = 100

SCHEMAS: LiteralString = (
    "SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) FROM pg_namespace n WHERE"
    + USER_SCHEMA
)

Result = TypeVar("Result")


@dataclass
class Survey:
    """A restored database of the version `major`, of whose backup `contents` are known.

    What a reader leaves out goes to `not_checked`, with the reason; `notes` are for people.
    `unexamined` says why amcheck cannot be used. Without `in_full` large indexes that the server
    has just built are not looked through. Of the tables `unanalyzed` ANALYZE is known to fail.
    One that is `copied` came as files.
    """

    reader: CatalogReader
    contents: Contents | None
    major: int
    unexamined: str = ""
    in_full: bool = False
    unanalyzed: frozenset[str] = frozenset()
    copied: Copied | None = None
    plan: Plan = field(default_factory=Plan)
    not_checked: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    known: dict[Callable[[Survey], Any], Any] = field(default_factory=dict)

    def rows(self, part: str, query: LiteralString) -> list[Row]:
        """All rows of `query`; none where that part of the catalog cannot be read."""
        return self.reader.rows(part, query)

    def near_rows(self, part: str, query: LiteralString) -> list[Row]:
        """The same of what may lie on other servers: none where nobody knows what does."""
        if self.far is None:
            self.reader.unread[part] = self.reader.unread[FAR_PART]
            return []
        return self.rows(part, query)

    def is_far(self, *oids: int) -> bool:
        """Whether one of `oids` is of what lies on another server."""
        return not (self.far or frozenset()).isdisjoint(oids)

    @cached_property
    def far(self) -> frozenset[int] | None:
        """Oids of what lies on other servers, None where that cannot be read."""
        found = frozenset(oid for (oid,) in self.rows(FAR_PART, FAR))
        return None if FAR_PART in self.reader.unread else found

    @cached_property
    def all_tables(self) -> list[Table]:
        """Tables, partitioned and foreign ones, and materialised views.

        Every criterion rests on them: CouldNotRun where they cannot be listed.
        """
        found = [Table(*row) for row in self.rows("tables", TABLES)]
        if "tables" in self.reader.unread:
            raise CouldNotRun(
                "the tables of the restored database could not be listed",
                checked=[self.reader.unread["tables"]],
                remedy=remedy_for("facts", "unread"),
            )
        return found

    @cached_property
    def tables(self) -> list[Table]:
        """Tables, and partitioned ones."""
        return [each for each in self.all_tables if each.kind in ("r", "p")]

    @cached_property
    def damaged(self) -> dict[str, str]:
        """Why rows of a table are not read, by its name; of partitioned ones if one part is not."""
        why = self.copied.damaged if self.copied else {}
        found: dict[str, str] = {}
        for table in self.all_tables if why else ():
            reasons = [why[oid] for oid in (table.oid, *table.leaves) if oid in why]
            if reasons:
                found[table.full_name] = reasons[0]
        return found

    @cached_property
    def schemas(self) -> str:
        """All schemas of the user, as a search_path."""
        found = self.rows("names of schemas", SCHEMAS)
        return (found and found[0][0]) or "pg_catalog"

    def as_in_source(self, what: str, names: Collection[str]) -> tuple[str, ...]:
        """Those of `names` that are findings: of what came as files the source had them so too."""
        if not self.copied or not names:
            return tuple(names)
        self.notes.append(f"{what}, as in the source: {some(names)}")
        return ()

    def once(self, read: Callable[[Survey], Result]) -> Result:
        """What `read` gives of this, which is read once, whoever asks."""
        if read not in self.known:
            self.known[read] = read(self)
        return cast("Result", self.known[read])


def some(names: Collection[str]) -> str:
    """`names`, all of them up to a bound: what is not checked stands in full in the reports."""
    return first_of(names, SHOWN)

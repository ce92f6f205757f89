"""What a portion of a dump is, and what carries it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from restore_drill.backups.plaindump.events import Event, Inserts, Statement
from restore_drill.backups.plaindump.statements import INSERT
from restore_drill.restore.relations import Catalog
from restore_drill.restore.steps import Settings


@dataclass
class Portion:
    """What is to be one transaction: its events, and the session's settings before and after it.

    Portions of one `phase`, if they have one, may run side by side unless both have rows of one of
    `tables`. One that `takes_values` may take values of a sequence, which no rollback gives back.
    """

    settings: Settings
    after: Settings
    phase: str = ""
    events: list[Event] = field(default_factory=list)
    statements: int = 0
    inserts: int = 0
    size: int = 0
    takes_values: bool = False
    tables: set[bytes] = field(default_factory=set)

    def add(self, event: Statement | Inserts) -> None:
        """Add a statement, or INSERTs."""
        self.events.append(event)
        if isinstance(event, Inserts):
            self.statements += event.statements
            self.inserts += event.statements
            self.size += len(event.data)
        else:
            self.statements += 1
            self.inserts += bool(INSERT.match(event.sql))
            self.size += len(event.sql)


class Crew(Protocol):
    """Carries out portions: of `most` statements, over several connections where it `is_parallel`.

    `share` of the usual size are those after errors. An INSERT does not count: it locks no more.

    It `is_within` a transaction of the dump's own, or a COPY, that it was given alone. Where it
    `escapes`, a backslash does so in every string. `catalog` knows the tables, once all is done.
    """

    most: int
    is_parallel: bool
    escapes: bool
    catalog: Catalog

    @property
    def share(self) -> float:
        """What of its usual size a portion is to have."""

    @property
    def is_within(self) -> bool:
        """Whether what was given alone has not ended."""

    def run(self, portion: Portion) -> None:
        """Carry out a portion."""

    def alone(self, event: Event, settings: Settings) -> None:
        """Carry out an event by itself, once all before it is done."""

    def settle_all(self) -> None:
        """Wait until all that was given is done."""

"""What a portion of a dump is, and what carries it out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

from restore_drill.backups.plaindump.events import Event, Inserts, LargeObjects, Statement
from restore_drill.backups.plaindump.statements import INSERT
from restore_drill.restore.object_runs import ObjectRuns, Open
from restore_drill.restore.relations import Catalog
from restore_drill.restore.steps import Settings

SIDE_BY_SIDE = {
    "TABLE": "tables",
    "SEQUENCE": "tables",
    "SEQUENCE OWNED BY": "tables",
    "DEFAULT": "defaults",
    "TABLE DATA": "rows",
    "SEQUENCE SET": "values",
    "CONSTRAINT": "keys",
    "INDEX": "indexes",
    "FK CONSTRAINT": "foreign keys",
    "ACL": "grants",
}
"""Kinds of entries of which none changes what another one of the same phase comes to, unless the
server lets one wait for the other or fail: that portion is then repeated behind the one before."""
READING = (b"client_encoding", b"standard_conforming_strings", b"escape_string_warning")
"""Settings by which a message is read, all of it before the first of its statements runs."""
KEEPS_COLUMNS = re.compile(rb" (?:DIS|EN)ABLE TRIGGER ALL;|^SELECT ")
"""What leaves the columns of all tables as they are, and may stand among their rows."""
CALLING = re.compile(
    rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?(?:TRIGGER|RULE)\b", re.IGNORECASE
)
"""What lets rows call functions, and so take values of a sequence."""


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

    def large_objects(self, run: LargeObjects, here: Open, settings: Settings) -> None:
        """Carry out a run, in a transaction of its own; `here` is what is open where it begins."""

    def go_on(self, objects: ObjectRuns) -> None:
        """Open what is open behind them, for what is carried out alone."""

    def settle_all(self) -> None:
        """Wait until all that was given is done."""

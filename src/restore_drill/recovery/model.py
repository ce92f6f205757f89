"""What is asked of a recovery, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from restore_drill.core.units import show_moment

if TYPE_CHECKING:
    from restore_drill.recovery.server import RecoveredServer

Note = Callable[[str], None]

LATEST, IMMEDIATE, TIME, LSN, XID, NAME = "latest", "immediate", "time", "lsn", "xid", "name"
CURRENT = "current"
"""The timeline of the backup, where LATEST is the newest."""
HOW = (LATEST, IMMEDIATE, TIME, LSN, XID, NAME)


class Goal(NamedTuple):
    """Where recovery is to end: `how` is one of HOW, `value` as PostgreSQL is given it.

    `when` is the time of a TIME, with its zone. `timeline` is `latest`, `current` or a number.
    """

    how: str = LATEST
    value: str = ""
    when: datetime | None = None
    timeline: str = "latest"

    @property
    def text(self) -> str:
        """As a user may write it: `lsn:0/1E0000B0`, `2026-11-27 23:36:49.020000 UTC`."""
        if self.when is not None:
            return show_moment(self.when)
        return f"{self.how}:{self.value}".rstrip(":")


class Asked(NamedTuple):
    """A file of the archive that the server asked for, and what it was given.

    `found` says whether it was there; `why_not` what went wrong where the archive has it and could
    not give it.
    """

    name: str
    found: bool
    why_not: str = ""
    seconds: float = 0.0


class Archive(Protocol):
    """Where WAL is kept: segments and histories of timelines by their names."""

    @property
    def words(self) -> str:
        """Where it is, for a message."""

    def names(self) -> Sequence[str]:
        """Names of all segments, histories and .partial files, sorted, compression taken off."""

    def witnesses(self) -> Collection[str]:
        """Names of segments that it has, or once had, by what tools have written down there.

        Read once, and before the names are: what is written down then lies there.
        """

    def fetch(self, name: str, to: Path) -> bool:
        """Write the file `name`, decompressed, to `to`; False where the archive has none.

        Raises BackupFault where it is there and is damaged, CouldNotRun where our means fail. It
        may be called in several threads at once.
        """

    def stop(self) -> None:
        """End the fetches that are under way: nobody waits for them any more."""


class Side(NamedTuple):
    """A transaction's end at the boundary of a recovery, as the server's log has it."""

    xid: int | None
    at: datetime | None


@dataclass(frozen=True)
class Evidence:
    """What the server's log, its control file and the fetched names say of a recovery.

    `began` says that it began from a backup's label, `consistent` that it reached the end of the
    backup; `last_in` is the last transaction that is in the copy, `first_out` the first that is
    not, None where the log names none. `stopped` is the server's own sentence on why it stopped,
    `complaints` its lines on WAL that it could not read. `end_lsn` is where replay ended,
    `timeline` the one that it was on before promotion; `asked` what it asked the archive for.
    """

    began: bool
    consistent: bool
    stopped: str = ""
    last_in: Side | None = None
    first_out: Side | None = None
    redo_from: int | None = None
    end_lsn: int | None = None
    timeline: int | None = None
    system: str = ""
    complaints: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    had_archive: bool = False


class Part(NamedTuple):
    """One part of the time that a recovery takes: seconds and bytes, 0 where they do not matter."""

    name: str
    seconds: float
    bytes: int = 0


@dataclass
class Recovered:
    """A recovered server that answers.

    `databases` are its databases, by name with their oids, and `database` the one that the criteria
    are about. `faults` say why it is not what was asked for (none is a positive proof that it is),
    each with the cause of its remedy; `told` is what could not be checked, and why. Where a session
    ends with the server, `server.wait_until_ready()` has it back.
    """

    server: RecoveredServer
    goal: Goal
    evidence: Evidence
    databases: dict[str, int] = field(default_factory=dict)
    database: str = ""
    parts: list[Part] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

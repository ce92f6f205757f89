"""What a restore came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from restore_drill.core.server_error import NO_ERROR, ServerError
from restore_drill.servers.model import Target

if TYPE_CHECKING:
    from restore_drill.recovery.model import Recovered

Progress = Callable[[str], None]


@dataclass(frozen=True)
class RestoreError:
    """One error of a restore: where, the message of the server, the named cause and the remedy.

    `where` is a line of the dump or an entry of its table of contents; `statement` is its
    opening words only, never data. `sql` and `error` may hold rows: they are for judging alone.
    """

    where: str
    statement: str
    message: str
    cause: str
    remedy: str
    sql: str = field(default="", repr=False, compare=False)
    error: ServerError = field(default=NO_ERROR, repr=False, compare=False)

    def lines(self) -> list[str]:
        """The error in lines for a person."""
        return [
            f"{self.where}: {self.statement}",
            f"  server: {self.message}",
            f"  cause: {self.cause}",
            f"  remedy: {self.remedy}",
        ]


@dataclass
class Restoration:
    """Outcome of a restore into `target`; `harmless` holds messages that do no harm, and why.

    `defined` holds the names of what the dump defines.
    `of` says behind a line's number what it is a line of, where that is not the dump itself;
    `without_statistics` names the tables of which ANALYZE failed, and why. `recovered` is what a
    physical backup came to, None for a dump.
    """

    target: Target
    way: str
    of: str = ""
    errors: list[RestoreError] = field(default_factory=list)
    harmless: list[str] = field(default_factory=list)
    defined: frozenset[str] = frozenset()
    without_statistics: dict[str, str] = field(default_factory=dict)
    statements: int = 0
    seconds: float = 0.0
    recovered: Recovered | None = field(default=None, compare=False)

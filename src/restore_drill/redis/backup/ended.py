"""What a server says of a backup that it loads, and what it means where it ends instead."""

from __future__ import annotations

import re
import signal
from abc import ABC, abstractmethod

from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.configuration import NEVER
from restore_drill.redis.backup.tools import Binary

REFUSED = re.compile(
    r"Can't handle RDB format version|Can't handle AOF|Wrong signature trying to load",
    re.IGNORECASE,
)
"""That of Redis about a file of Valkey: how it begins is known before it is loaded."""
MODULE = re.compile(r"no matching module(?: type)? '?([\w:-]{1,20})'?")
QUOTED = re.compile(r"'[^']*'")
"""What may be the name of a key."""
UNKNOWN = re.compile(
    r"Unknown command '([\w.|-]{1,40})' reading the append only file", re.IGNORECASE
)
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
"""Signals that a program gets by its own fault."""
NO_MEMORY = re.compile(r"out of memory", re.IGNORECASE)
LOADED = re.compile(
    r"keys loaded: (\d+), keys expired: (\d+)"
    r"(?:, all fields expired hashes: (\d+))?(?:, empty keys skipped: (\d+))?"
)
"""Valkey, then Redis, on hashes that are empty since all of their fields have expired."""


class Unreadable(Exception):
    """A server does not know the version of the file; another one may."""


class Loading(ABC):
    """A server of the program `binary` that loads a backup."""

    def __init__(self, binary: Binary) -> None:
        """Nothing is known of it yet."""
        self.binary = binary

    @abstractmethod
    def text(self) -> str:
        """All that it has logged."""

    def why_ended(self, code: int) -> BackupFault | CouldNotRun | Unreadable:
        """What it means that the server has ended instead of serving."""
        text = self.text()
        if REFUSED.search(text):
            return Unreadable(self.binary.words)
        if module := MODULE.search(text):
            return CouldNotRun(
                f"the backup of Redis needs the module {module[1]}, which no server here has",
                checked=[f"{self.binary.words} ({self.binary.path})"],
                remedy=remedy_for("redis_backup", "module"),
            )
        if unknown := UNKNOWN.search(text):
            return self.refused(unknown[1])
        if code < 0:
            return self.killed(-code)
        return BackupFault(
            f"{self.binary.words} cannot load the backup of Redis",
            checked=self.last_lines(),
            remedy=remedy_for("test_redis_backup_is_intact", "damaged"),
        )

    def killed(self, number: int) -> CouldNotRun:
        """What it means that the signal `number` has ended it."""
        is_crash = number in CRASHES and not NO_MEMORY.search(self.text())
        how = f"crashed (signal {number})" if is_crash else f"was ended by signal {number}"
        return CouldNotRun(
            f"{self.binary.words} {how} while it loaded the backup of Redis",
            checked=[self.binary.path],
            remedy=remedy_for("redis_backup", "crashed" if is_crash else "memory"),
        )

    def refused(self, command: str) -> BackupFault | CouldNotRun:
        """What it means that a file holds a `command` which the server does not run."""
        if "." in command:  # JSON.SET, FT.CREATE: only modules have such names
            return CouldNotRun(
                f"the backup of Redis needs a module for {command}, which no server here has",
                checked=[f"{self.binary.words} ({self.binary.path})"],
                remedy=remedy_for("redis_backup", "module"),
            )
        why = "which no server writes there" if command.upper() in NEVER else "unknown here"
        return BackupFault(
            f"the append-only files contain the command {command}, {why}: it was not run",
            checked=[f"{self.binary.words} ({self.binary.path})"],
            remedy=remedy_for("test_redis_backup_is_intact", "damaged"),
        )

    def last_lines(self) -> list[str]:
        """The last it has logged of an error, without what may be a key."""
        said = [line.partition(" # ")[2] for line in self.text().splitlines() if " # " in line]
        return [f"its log: {QUOTED.sub('...', line)}" for line in said[-3:]]

    def counted(self) -> tuple[int | None, int | None, int]:
        """Keys that it has loaded, that had expired, and that held nothing any more.

        By its own account; None without one.
        """
        found = LOADED.search(self.text())
        if found is None:
            return None, None, 0
        return int(found[1]), int(found[2]), int(found[3] or 0) + int(found[4] or 0)

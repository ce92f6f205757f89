"""What a fleet is: its databases, the drill that each of them needs, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from restore_drill.config.criteria import Criteria, load_criteria
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.core.calling import SUITE
from restore_drill.core.errors import EXIT_USAGE_ERROR

CANCELLED = "the run was cancelled"
"""Why a drill has no verdict of a run that was interrupted."""
UNKNOWN = "could-not-run"
"""Verdict of a drill of which nobody knows how it ended."""


@dataclass(frozen=True)
class Needs:
    """What a drill needs of a worker: bytes of `disk` and `memory`, processor `cores`.

    None stands for what is estimated from the backup.
    """

    disk: int | None = None
    memory: int | None = None
    cores: int | None = None


@cache
def standard_criteria() -> Criteria:
    """The criteria of a database that has no criteria file."""
    return load_criteria(SUITE / "drill" / "criteria.toml")


@dataclass(frozen=True)
class Database:
    """One database of the inventory; `where` is the place that names it, for messages.

    `backups` is a folder or a URL (BACKUP_PATH), `backup` a single backup of it instead; without
    either its `criteria` name a repository. `series` names the one that is meant. `options` go to
    its drill as they are given (`--heapallindexed`), `environment` too. `every` and `timeout` are
    seconds. Who is told is in `notify`. What may hold a secret is not in its repr. `unlisted` says
    why a place cannot be listed: then this stands for all databases that may lie there. `account`
    tells its bucket from others of the same name.
    """

    name: str
    where: str
    backups: str = field(default="", repr=False)
    backup: str = field(default="", repr=False)
    series: str = ""
    criteria: Criteria | None = field(default=None, repr=False)
    target: str = "embedded"
    budgets: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    every: float | None = None
    timeout: float | None = None
    owner: str = ""
    notify: tuple[str, ...] = field(default=(), repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    needs: Needs = field(default_factory=Needs)
    unlisted: str = ""
    account: str = field(default="", repr=False)

    @property
    def rules(self) -> Criteria:
        """What is asked of its backups."""
        return self.criteria or standard_criteria()

    @property
    def repository(self) -> PgBackRest | None:
        """The repository that its criteria name, where nothing else says where its backups lie."""
        return None if self.backups or self.backup else self.rules.backup_pgbackrest

    @property
    def place(self) -> str:
        """Where its backups lie: what has another place has other backups."""
        stanza = f", stanza {self.repository.stanza}" if self.repository else ""
        url = self.backups or self.backup
        return f"{url} of {self.account}" if self.account else url or self.source + stanza

    @property
    def source(self) -> str:
        """Where its backups come from: downloads are bounded for each."""
        if named := self.repository:
            return f"pgBackRest, {named.config or 'its own configuration'}, repository {named.repo}"
        text = self.backups or self.backup
        scheme, is_url, rest = text.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}" if is_url else text


@dataclass(frozen=True)
class Inventory:
    """All databases of the file or folder at `path`, by name.

    `undecided` are series that were discovered, and that nobody has named or ignored: each is
    drilled as a database with the defaults. `found` has the names of those that were discovered, by
    the places where they lie; one without a series is a place that holds no backup. `warnings` name
    what stands in the file and has no effect. `tries` is how often a drill that could not run is
    tried at most, `at_once` how many of one source run at the same time.
    """

    path: Path
    databases: Mapping[str, Database]
    undecided: tuple[str, ...] = ()
    found: Mapping[str, Sequence[str]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    tries: int = 3
    at_once: int = 4


@dataclass(frozen=True)
class Job:
    """The drill of a database, so that any worker can run it: nothing in it is of this machine.

    `arguments` are those of pytest, `environment` variables beside the worker's own, `files` the
    criteria and what lies beside them, by their paths below the folder that the drill runs in.
    `needs` are all known. `seconds` is what it took before, None where nobody knows. Neither
    environment nor files are in its repr, which Dask writes into logs.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    needs: Needs
    source: str
    owner: str = ""
    timeout: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Done:
    """How one try of a drill ended: its exit code, None where its worker was lost.

    `result` is its result.json, `report` and `junit` the files, where it has left them. It is the
    last of so many `tries`; 0: it was never begun. `unrecorded` says why it is not in the history,
    empty where it is. `is_late`: it was ended at its own limit.
    """

    name: str
    code: int | None
    worker: str
    seconds: float
    result: Mapping[str, Any] | None = None
    report: bytes = b""
    junit: bytes = b""
    why: str = ""
    tries: int = 1
    unrecorded: str = ""
    is_late: bool = False

    @property
    def verdict(self) -> str:
        """Its verdict: nothing is known of a backup whose drill has left no result."""
        return str((self.result or {}).get("verdict", UNKNOWN))

    @property
    def is_final(self) -> bool:
        """Whether another try is for nothing: the backup has its verdict, or the time is over."""
        return self.verdict != UNKNOWN or self.is_late

    @property
    def is_mistake(self) -> bool:
        """Whether its options are wrong where it ran: a folder may be there on another worker."""
        return self.code == EXIT_USAGE_ERROR and not self.is_final

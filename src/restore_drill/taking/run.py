"""What one run of `restore-drill backup` does, in its order, whatever kind of backup it takes."""

from __future__ import annotations

import argparse
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from restore_drill.config.settings import Settings
from restore_drill.facts.session import open_session
from restore_drill.manifest.backup import system_of
from restore_drill.manifest.naming import namer
from restore_drill.manifest.source import source_of
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.model import Target
from restore_drill.taking.destination import Destination
from restore_drill.taking.files import Taken
from restore_drill.taking.forget import preview, remove_old
from restore_drill.taking.inventory import Same, series_of_name
from restore_drill.taking.recipients import Seal, seal_of
from restore_drill.taking.redis_along import (
    TakenRedis,
    beside_dumps,
    left_alone,
    report_redis,
    take_redis,
)
from restore_drill.taking.redis_known import leave_unmeasured, measure_redis
from restore_drill.taking.retention import Rule
from restore_drill.taking.words import ProgressLine

Namer = Callable[[datetime], str]


class Shape(Protocol):
    """What a backup is to be."""

    @property
    def suffix(self) -> str:
        """Suffix of its name."""

    def binaries(self, server: int, note: Callable[[str], None]) -> Binaries:
        """Build that can take it from a server of that major."""


AnyForm = TypeVar("AnyForm", bound=Shape)


@dataclass
class Run(ABC, Generic[AnyForm]):
    """What one run does, and how far it came: the backup once it is `taken`."""

    parsed: argparse.Namespace
    form: AnyForm
    rules: Sequence[Rule]
    settings: Settings
    place: Destination
    note: Callable[[str], None]
    line: ProgressLine
    taken: Taken | None = None
    redis: TakenRedis | None = None

    def do(self) -> None:
        """Take the backup, then remove old ones; or show what that would do."""
        seal = seal_of(self.parsed.encrypt_to, Path.cwd())
        self.refuse(seal)
        target = source_of(self.settings, self.tools)
        self.warn(target)
        name = namer(self.template(target), target.conninfo["dbname"], self.form.suffix)
        if self.parsed.dry_run:
            self.show(target, name, seal)
            return
        started = time.monotonic()
        if self.parsed.with_redis:
            url, bgsave = self.settings.redis_url, self.parsed.redis_bgsave
            self.redis = take_redis(url, self.place, seal, self.line.show, bgsave)
        try:
            self.taken = self.take(target, name, seal)
        except BaseException:
            if self.redis:
                leave_unmeasured(self.redis)
            raise
        if self.redis:
            report_redis(self.redis, self.taken.manifest.taken_at, self.note)
            self.line.show("counting and measuring the keys of Redis")
            measure_redis(self.redis, self.note)
        self.report(self.taken, time.monotonic() - started)
        for left in self.place.left:
            self.note(f"not removed: {left}, which reserved the name; delete it by hand")
        if self.rules:
            remove_old(self.place, self.taken.manifest, self.rules, self.settings, self.note)
            self.note_redis()

    def tools(self, major: int) -> Binaries:
        """Build that takes the backup from a server of that major."""
        return self.form.binaries(major, self.note)

    @abstractmethod
    def refuse(self, seal: Seal | None) -> None:
        """UsageError where such a backup cannot be written to that place."""

    @abstractmethod
    def warn(self, target: Target) -> None:
        """Say what there is to know before."""

    @abstractmethod
    def template(self, target: Target) -> str:
        """Template of the name: the one given, else as the backups there are named."""

    @abstractmethod
    def take(self, target: Target, name: Namer, seal: Seal | None) -> Taken:
        """Take the backup."""

    @abstractmethod
    def report(self, taken: Taken, seconds: float) -> None:
        """Report what was taken."""

    def show(self, target: Target, name: Namer, seal: Seal | None) -> None:
        """What would be done."""
        file = name(datetime.now(UTC)) + (seal.suffix if seal else "")
        self.note(f"dry run: {file} would be written to {self.place.shown}")
        if self.parsed.with_redis:
            self.note(f"dry run: one of Redis would be written to {beside_dumps(self.place).shown}")
        if self.rules:
            with open_session(target) as session:
                same = Same(target.conninfo["dbname"], system_of(session), series_of_name(file))
            for line in preview(self.place, file, same, self.rules, self.settings):
                self.note(line)
            self.note_redis()

    def note_redis(self) -> None:
        """Say that the rules are about dumps alone, where backups of Redis lie beside them."""
        for line in left_alone(self.place):
            self.note(line)

    def outcome(self) -> str:
        """What became of the backup, where the command did not go to its end."""
        if self.taken:
            return f"the backup {self.taken.path} was taken, and is complete"
        if self.redis:
            return f"of Redis {self.redis.path} was taken, and is complete; the database was not"
        if self.place.left:
            left = ", ".join(self.place.left)
            return f"no backup was taken; delete what is left of it, if anything: {left}"
        return f"no backup was left in {self.place.shown}"

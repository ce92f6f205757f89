"""What one run of `restore-drill backup` does, in its order."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.facts.session import open_session
from restore_drill.manifest.backup import system_of
from restore_drill.manifest.dump import Form
from restore_drill.manifest.naming import namer, template_among
from restore_drill.manifest.source import source_of
from restore_drill.servers.model import Target
from restore_drill.taking.destination import Destination, Folder
from restore_drill.taking.files import Taken, take_backup
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
from restore_drill.taking.stream import take_streamed
from restore_drill.taking.words import ProgressLine, report

Namer = Callable[[datetime], str]


@dataclass
class Work:
    """What one run does, and how far it came: the backup once it is `taken`."""

    parsed: argparse.Namespace
    form: Form
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
        refuse_directory(self.form, self.place, seal)
        target = source_of(self.settings, self.form, self.note)
        if warning := why_unreadable(self.form.name, target.binaries.major, target.major):
            self.note(warning)
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
        report(self.taken, time.monotonic() - started, self.note)
        for left in self.place.left:
            self.note(f"not removed: {left}, which reserved the name; delete it by hand")
        if self.rules:
            remove_old(self.place, self.taken.manifest, self.rules, self.settings, self.note)
            self.note_redis()

    def template(self, target: Target) -> str:
        """Template of the name: the one given, else as the backups there are named."""
        if self.parsed.name is not None:
            return str(self.parsed.name)
        try:
            names = self.place.entries()
        except CouldNotRun:  # it can only be written to
            names = {}
        return template_among(names, target.conninfo["dbname"])

    def take(self, target: Target, name: Namer, seal: Seal | None) -> Taken:
        """In files of this machine where that is all; else as a stream."""
        jobs, with_roles, progress = self.settings.jobs, self.parsed.with_roles, self.line.show
        redis = self.redis.before if self.redis else None
        if isinstance(self.place, Folder) and seal is None:
            return take_backup(
                target, self.form, folder=self.place.path, name=name,
                jobs=jobs, with_roles=with_roles, progress=progress, redis=redis,
            )  # fmt: skip
        return take_streamed(
            target, self.form, self.place, seal, name=name,
            jobs=jobs, with_roles=with_roles, progress=progress, redis=redis,
        )  # fmt: skip

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


def refuse_directory(form: Form, place: Destination, seal: Seal | None) -> None:
    """UsageError where a dump of many files would have to be one stream."""
    if form.name == "directory" and (seal or not isinstance(place, Folder)):
        where = "be encrypted" if seal else f"be written to {place.shown}"
        raise UsageError(
            f"--format directory cannot {where}: it is not a stream; use custom or plain"
        )


def why_unreadable(form: str, tool: int, server: int) -> str:
    """That pg_restore of the server's own version cannot read what a newer pg_dump writes."""
    if form == "plain" or tool <= server:
        return ""
    return (
        f"pg_dump {tool} writes this backup of PostgreSQL {server}, whose own pg_restore may "
        f"not be able to read it: restore with pg_restore {tool}, or use --compress gzip:6"
    )

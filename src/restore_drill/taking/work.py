"""The run that takes a dump."""

from __future__ import annotations

from dataclasses import dataclass

from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.manifest.dump import Form
from restore_drill.manifest.naming import template_among
from restore_drill.servers.model import Target
from restore_drill.taking.destination import Destination, Folder
from restore_drill.taking.files import Taken, take_backup
from restore_drill.taking.recipients import Seal
from restore_drill.taking.run import Namer, Run
from restore_drill.taking.stream import take_streamed
from restore_drill.taking.words import report


@dataclass
class Work(Run[Form]):
    """Takes a dump."""

    def refuse(self, seal: Seal | None) -> None:
        """UsageError where such a backup cannot be written to that place."""
        refuse_directory(self.form, self.place, seal)

    def warn(self, target: Target) -> None:
        """Say what there is to know before."""
        if warning := why_unreadable(self.form.name, target.binaries.major, target.major):
            self.note(warning)

    def report(self, taken: Taken, seconds: float) -> None:
        """Report what was taken."""
        report(taken, seconds, self.note)

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

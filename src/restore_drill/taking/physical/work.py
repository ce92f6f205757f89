"""What one run of `restore-drill backup --physical` does, in its order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from shlex import quote

from restore_drill.core.calling import DRILL
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_count, show_duration, show_time
from restore_drill.manifest.file import SUFFIX, Manifest
from restore_drill.manifest.naming import by_database
from restore_drill.manifest.physical import MOVED
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.model import Target
from restore_drill.taking.destination import Destination, Folder
from restore_drill.taking.files import Taken
from restore_drill.taking.inventory import manifest_in
from restore_drill.taking.physical.before import look_before, refuse_without_room
from restore_drill.taking.physical.form import PhysicalForm, verifier, waldump_of
from restore_drill.taking.physical.take import Taking
from restore_drill.taking.recipients import Seal
from restore_drill.taking.run import Namer, Run


@dataclass
class PhysicalWork(Run[PhysicalForm]):
    """The run that takes a physical backup."""

    failure: CouldNotRun | None = None

    def do(self) -> None:
        """Take it; CouldNotRun at the end where it is whole, and its facts could not be read."""
        super().do()
        if self.failure:
            raise self.failure

    def tools(self, major: int) -> Binaries:
        """Build that takes it; where none can compress as it usually is, gzip will do."""
        try:
            return super().tools(major)
        except CouldNotRun as error:
            if self.form.method:
                raise
            self.note(f"{error.what}: the backup is compressed by gzip instead")
            self.form = replace(self.form, method="gzip")
            return super().tools(major)

    def refuse(self, seal: Seal | None) -> None:
        """UsageError where it would not lie in a folder of this machine."""
        del seal
        if not isinstance(self.place, Folder):
            raise UsageError(
                f"--physical writes to a folder, not to {self.place.shown}: take it into one, then "
                "copy the whole folder there, and its .manifest.json last"
            )

    def warn(self, target: Target) -> None:
        """There is nothing to say yet."""

    def template(self, target: Target) -> str:
        """Template of the name: a series of its own beside dumps of the same database."""
        if self.parsed.name is not None:
            return str(self.parsed.name)
        return by_database(target.conninfo["dbname"]) + "_base_{time}"

    def take(self, target: Target, name: Namer, seal: Seal | None) -> Taken:
        """Take it, as its form says."""
        del seal
        form = self.form
        assert isinstance(self.place, Folder)
        cluster = look_before(target, form)
        if warning := refuse_without_room(cluster, form, self.place.path):
            self.note(warning)
        taking = Taking(
            target, form, cluster, self.place.path,
            full=newest_full(self.place, cluster.system) if form.incremental else "",
            tools=verifier(form, target.major, self.note), jobs=self.settings.jobs,
            waldump=waldump_of(target.major, self.note) if form.facts else "",
            progress=self.line.show, redis=self.redis.before if self.redis else None,
        )  # fmt: skip
        taken = taking.take(name)
        self.failure = taking.failure
        return taken

    def report(self, taken: Taken, seconds: float) -> None:
        """Report what was taken."""
        report(taken, seconds, self.note)


def newest_full(place: Destination, system: str) -> str:
    """Name of the newest full backup of the cluster `system` in `place`; CouldNotRun if none."""
    found: list[Manifest] = []
    entries = place.entries()
    for name in entries:
        if name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in entries:
            manifest, _ = manifest_in(place, name)
            if manifest and manifest.physical and manifest.system == system:
                found += [] if manifest.physical.full else [manifest]
    if not found:
        raise CouldNotRun(
            f"no backup was taken: {place.shown} holds no full backup of this server to add to",
            checked=[f"{place.shown}/*{SUFFIX}"],
            remedy=remedy_for("physical_backup", "no_full"),
        )
    return max(found, key=lambda each: each.taken_at).backup


def report(taken: Taken, seconds: float, note: Callable[[str], None]) -> None:
    """Report a physical backup."""
    manifest, facts = taken.manifest, taken.manifest.physical
    assert facts is not None
    for line in taken.warnings:
        note(line)
    note(f"backup: {taken.path}")
    note(f"  {manifest.format}, {show_bytes(manifest.size)}, verified by pg_verifybackup")
    note(f"  {show_time(manifest.taken_at)}, by pg_basebackup from {manifest.server}")
    if facts.full:
        note(f"  holds what has changed since {facts.full}, which it cannot be restored without")
    names = show_count(len(facts.databases), "database")
    note(f"  {names}, {show_bytes(sum(each or 0 for each in facts.databases.values()))}")
    place, _, name = taken.path.rpartition("/")
    drill = f"BACKUP_PATH={quote(place)} {DRILL} --backup {quote(taken.path)}"
    if facts.point:
        found = manifest.fingerprint
        parts = [show_count(len(found.tables), "table"), show_count(found.rows, "row")]
        note(f"manifest: {name}{SUFFIX}: {', '.join(parts)} of {manifest.database}")
        note(f"  as recovery to {facts.point.recover_to} brings them; its WAL is in the backup")
        for what, why in facts.apart.items():
            note(f"  not compared: {what} ({why})")
        if facts.is_moved:
            note(f"  not compared: the definitions of all objects ({MOVED})")
        drill += f" --recover-to {facts.point.recover_to}"
    else:
        note(f"no facts to hold a drill to: {facts.why_not}")
    note(f"done in {show_duration(seconds)}; drill it: {drill}")

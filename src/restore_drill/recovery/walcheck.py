"""The WAL of an archive is read through without recovering: every record of every segment.

pg_waldump reads 700 MB a second, which a replay does not: so what lies behind the goal of a
recovery, and an archive by itself, can be checked. It knows neither the cluster nor the place that
a segment is of; its first bytes tell that.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from restore_drill.backups.physical.model import Physical, lsn_of
from restore_drill.backups.physical.wal_names import Segment, name_of, segment_of
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.waiting import each_at_once
from restore_drill.recovery.ahead import AT_ONCE, ROOM
from restore_drill.recovery.archives.copying import damaged
from restore_drill.recovery.archives.header import Expected
from restore_drill.recovery.bringing import Bringer
from restore_drill.recovery.holes import Survey
from restore_drill.recovery.model import Archive, Note
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cleanup import make_run_directory
from restore_drill.servers.launcher import Launcher, small_environment
from restore_drill.servers.place import choose_base

TOOL = "pg_waldump"
SAYS = f"{TOOL}: error: "
PASSED = 0o755
"""Mode of a folder in which the tool reads what it is told to, and makes nothing."""
RECORD = re.compile(r"error in WAL record at ([0-9A-F]{1,8}/[0-9A-F]{1,8})")


OF_WAL = re.compile(
    r"error in WAL record|could not find a valid record|WAL segment size|could not read"
)
"""What the tool says of WAL, and not of itself."""


class Run(NamedTuple):
    """Segments of a timeline in a row: numbers of the first and last."""

    timeline: int
    first: int
    last: int


@dataclass
class Checked:
    """What reading the WAL through came to: how many `segments`, and a fault for each damage."""

    segments: int = 0
    faults: list[BackupFault] = field(default_factory=list)


@dataclass
class Check:
    """One check of `archive`, whose segments of `size` bytes are kept in `folder` meanwhile."""

    archive: Archive
    size: int
    binaries: Binaries
    launcher: Launcher
    bringer: Bringer
    checked: Checked = field(default_factory=Checked)

    def read(self, run: Run, progress: Note) -> None:
        """Read the segments of `run` through, some at a time.

        A record may go on in the next segment: the last of some is the first of the next ones.
        """
        count = max(2, ROOM // self.size)
        here: list[str] = []
        for start in range(run.first, run.last + 1, count):
            numbers = range(start, min(start + count, run.last + 1))
            names = [name_of(Segment(run.timeline, each), self.size) for each in numbers]
            progress(f"reading WAL: {names[-1]}")
            for name, came in zip(names, each_at_once(self.bring, names, AT_ONCE), strict=True):
                if came:
                    here.append(name)
                elif here:  # its records end at what is damaged
                    self.dump(here)
                    here = self.without(here)
            if here:
                kept = here[-1:] if self.dump(here) else []
                here = kept + self.without([each for each in here if each not in kept])
        self.without(here)

    def bring(self, name: str) -> bool:
        """Bring the segment `name`; whether it is there and whole, as far as its begin tells."""
        try:
            path = self.bringer.bring(name)
            if path is None:
                raise damaged(name, self.archive.words, "it was listed, and is not there")
        except BackupFault as error:
            self.checked.faults.append(error)
            return False
        self.checked.segments += 1
        self.launcher.own(path)
        path.rename(path.with_name(name))
        return True

    def dump(self, names: list[str]) -> bool:
        """Have the records in the segments `names`, which are in a row, read.

        Whether the last of them is whole: the tool ends at a damage, and is started anew behind it.
        """
        folder = self.bringer.folder
        command = [self.binaries.tool(TOOL), "-q", "-p", str(folder), names[0], names[-1]]
        environment = small_environment(self.binaries, str(folder)) | {"LC_ALL": "C"}
        try:
            done = self.launcher.run(command, cwd=folder, env=environment)
        except (OSError, subprocess.SubprocessError) as error:
            raise unread(str(error)) from None
        if done.returncode:
            lines = [each for each in done.stdout.splitlines() if SAYS in each]
            said = (lines or done.stdout.splitlines() or ["it did not say why"])[0]
            if not OF_WAL.search(said):
                raise unread(said)
            name = self.at_fault(said, names)
            why = said.partition(SAYS)[2] or said
            self.checked.faults.append(damaged(name, self.archive.words, why))
            rest = names[names.index(name) + 1 :]
            return bool(rest) and self.dump(rest)
        return True

    def at_fault(self, said: str, names: list[str]) -> str:
        """Which of the segments `names` the tool means by what it has `said`."""
        found = RECORD.search(said)
        number = lsn_of(found[1]) // self.size if found else -1
        places = {each: segment_of(each, self.size) for each in names}
        return next((each for each, at in places.items() if at and at.number == number), names[0])

    def without(self, names: list[str]) -> list[str]:
        """Remove the segments `names`; none of them is left."""
        for each in names:
            (self.bringer.folder / each).unlink(missing_ok=True)
        return []


def unread(why: str) -> CouldNotRun:
    """The error for a tool that does not do its work."""
    remedy = remedy_for("physical", "program")
    return CouldNotRun(f"{TOOL} cannot read the WAL: {why}", remedy=remedy)


def check_wal(
    archive: Archive,
    physical: Physical,
    found: Survey,
    binaries: Binaries,
    launcher: Launcher,
    progress: Note,
) -> Checked:
    """Read through what `found` says that `archive` has for `physical`; gaps are left out.

    CouldNotRun where our means fail.
    """
    size = physical.segment_size
    room = make_run_directory(choose_base(launcher, 2 * ROOM))
    try:
        room.path.chmod(PASSED)
        expected = Expected(physical.system, 0, physical.major)
        work = Check(archive, size, binaries, launcher, Bringer(archive, room.path, expected))
        for run in runs_in(found, size):
            work.read(run, progress)
        return work.checked
    finally:
        room.remove()


def runs_in(found: Survey, size: int) -> Iterator[Run]:
    """Segments in a row along the timelines of a survey, up to its newest one."""
    newest = segment_of(found.newest, size) if found.newest else None
    for stretch in found.path if newest else ():
        if newest is None or stretch.timeline > newest.timeline:
            return
        last = newest.number if stretch.timeline == newest.timeline else stretch.last
        begin, end = stretch.first, newest.number if last is None else last
        for gap in found.gaps:
            one, other = (segment_of(each, size) for each in (gap.first, gap.last))
            if one and other and one.timeline == stretch.timeline:
                if one.number > begin:
                    yield Run(stretch.timeline, begin, one.number - 1)
                begin = other.number + 1
        if begin <= end:
            yield Run(stretch.timeline, begin, end)

"""What a recovery needs before it begins: a build of the very major, room, a run directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from restore_drill.backups.physical.model import Physical
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.servers import cleanup, isolation
from restore_drill.servers.binaries import Binaries, Note
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.executor import SUPERUSER
from restore_drill.servers.find import Obtain, fetched, installed, reasons
from restore_drill.servers.launcher import Launcher, choose_launcher
from restore_drill.servers.model import Target
from restore_drill.servers.place import choose_base, fits_in_memory, why_elsewhere
from restore_drill.servers.starting import reachable

ICU = frozenset({"icu"})
WAL_AT_ONCE = 64
"""Segments of WAL that lie in a recovering server at most: before a restart point, and ahead."""
DISTANCE = 1 << 30
"""Bytes of them, if segments are large."""
SORTING = 8
"""An eighth of the data, for what checks sort."""


@dataclass
class Shell:
    """Everything for a recovery of `physical`; nothing of it runs yet. `stop` removes it all.

    `room` are the bytes of data that it is for, `entry` a database that its server is known to
    have, empty where nobody knows one.
    """

    physical: Physical
    binaries: Binaries
    launcher: Launcher
    run: RunDirectory
    room: int
    in_memory: bool = False
    entry: str = ""

    def target(self, recover: Callable[[Note], object]) -> Target:
        """Give the target that `recover` makes a server of; nobody can connect to it before."""
        is_isolated = not isolation.why_not()
        return Target(
            kind="embedded",
            conninfo={"host": str(self.run.path), "dbname": SUPERUSER},
            server_version=self.binaries.version[0] * 10000 + self.binaries.version[1],
            binaries=self.binaries,
            description=f"embedded {self.binaries.name}",
            isolated=is_isolated,
            exposed="" if is_isolated else isolation.why_not(),
            recover=recover,
        )

    def stop(self) -> None:
        """Remove the run directory, and end what runs in it; harmless when called twice."""
        self.run.remove()

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self.stop()


def make_shell(
    physical: Physical, note: Note, *, obtain: Obtain | None = None, entry: str = ""
) -> Shell:
    """Find the build for `physical` and make its run directory; CouldNotRun where that fails.

    The copy lives in memory where data and WAL surely fit there, else on a disk with room for them.
    """
    binaries = build_of(physical.major, note, obtain or fetched)
    launcher = choose_launcher()
    room = room_of(physical)
    in_memory = fits_in_memory(launcher, room)
    base = cleanup.MEMORY if in_memory else choose_base(launcher, room)
    try:
        run = cleanup.make_run_directory(base)
    except OSError as error:
        raise no_folder(binaries, str(base), error) from None
    try:
        launcher.own(run.path)
        (run.path / cleanup.WAY).mkdir(mode=0o700)
        run.data.mkdir(mode=0o700)
        launcher.own(run.data)
        binaries = reachable(binaries, run, launcher)
    except OSError as error:
        run.remove()
        raise no_folder(binaries, str(base), error) from None
    except BaseException:
        run.remove()
        raise
    where = "in memory" if in_memory else f"in {base}"
    note(f"{binaries.name} is ready for {show_bytes(room)} {where}")
    if not in_memory and (elsewhere := why_elsewhere(base, launcher, room)):
        note(f"it lives {elsewhere}")
    return Shell(physical, binaries, launcher, run, room, in_memory, entry)


def no_folder(binaries: Binaries, base: str, error: OSError) -> CouldNotRun:
    """The error for a run directory that cannot be made."""
    return CouldNotRun(
        f"{binaries.name} cannot be set up in {base}: {error.strerror or error}",
        remedy=remedy_for("target", "folder"),
    )


def room_of(physical: Physical) -> int:
    """Bytes that a copy of `physical` takes with its WAL, and what its checks sort.

    Restart points remove the WAL that is replayed, whatever its length.
    """
    wal = min(WAL_AT_ONCE * physical.segment_size, DISTANCE)
    return physical.size + max(wal, physical.wal_size) + physical.size // SORTING


def build_of(major: int, note: Note, obtain: Obtain = fetched) -> Binaries:
    """Build of the very `major`: its files are of no use to another one.

    One with ICU is taken first: without it, databases that sort by ICU cannot be opened.
    """
    lacking: list[str] = []
    checked: list[str] = []
    build = (
        installed(major, ICU, lacking)
        or installed(major, frozenset(), checked)
        or obtain(major, frozenset(), checked, note)
    )
    if build is None:
        raise CouldNotRun(
            f"no PostgreSQL {major} is available on this machine, and a physical backup starts on"
            " its own major version only",
            checked=reasons(checked) or [f"builds of PostgreSQL {major} on this machine and PyPI"],
            remedy=remedy_for("recovering", "no_build", major=major),
        )
    return build

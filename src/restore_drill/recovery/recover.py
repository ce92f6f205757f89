"""A physical backup is recovered: copied, made safe, started, replayed to its goal, and judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.backups.physical.files import LINKS
from restore_drill.backups.physical.model import Physical
from restore_drill.core.deadline import at_work
from restore_drill.core.errors import BackupFault, DrillError
from restore_drill.core.units import show_duration, some
from restore_drill.recovery.control_data import ControlData, read_control_data
from restore_drill.recovery.copying import Copied, copy_backup
from restore_drill.recovery.evidence import Reading
from restore_drill.recovery.executor import RecoveringExecutor
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.finishing import finish
from restore_drill.recovery.goals import check_reachable, target_settings
from restore_drill.recovery.model import LATEST, Archive, Goal, Note, Part, Recovered
from restore_drill.recovery.own_settings import recovery_settings, write_settings
from restore_drill.recovery.reasons import Unreached
from restore_drill.recovery.replay import Replay
from restore_drill.recovery.safe import make_safe
from restore_drill.recovery.server import RecoveredServer
from restore_drill.recovery.shell import Shell
from restore_drill.recovery.starting import start_server
from restore_drill.recovery.unreached import explained
from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.bounds import RoomWatch

NO_ARCHIVE = "false"
"""Restore command of a server that has no archive, and must have a command to stop at a target."""
SIGNAL = "recovery.signal"
Copy = Callable[[Physical, Path, Note], Copied]


@dataclass
class Recovery:
    """One recovery on its way; `parts` are what took its time so far."""

    shell: Shell
    goal: Goal
    archive: Archive | None
    progress: Note
    parts: list[Part] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    fetcher: Fetcher | None = None

    def copy(self, copy: Copy) -> Copied:
        """Bring the files into the shell, and make them safe to start."""
        data = self.shell.run.data
        with at_work(lambda: "copying the backup"):
            copied = copy(self.shell.physical, data, self.progress)
            make_safe(data)
        self.parts.append(Part("copy", copied.seconds, copied.bytes))
        return copied

    def configure(self, control: ControlData) -> Path:
        """Write our settings, and say whether the server recovers from an archive or by itself."""
        shell = self.shell
        self.settings = recovery_settings(shell.run.path, control)
        if any(each.is_dir() and not each.is_symlink() for each in spaces_in(shell.run.data)):
            self.settings["allow_in_place_tablespaces"] = "on"
        if self.archive is not None or self.goal.how != LATEST:
            command = self.fetcher.command if self.fetcher else NO_ARCHIVE
            self.settings |= target_settings(self.goal) | {"restore_command": command}
            signal = shell.run.data / SIGNAL
            signal.touch(0o600)
            shell.launcher.own(signal)
        return write_settings(shell.run.path, shell.launcher, self.settings)

    def start(self, config: Path, control: ControlData) -> tuple[RecoveredServer, Reading]:
        """Start the server, and wait until it has recovered; nothing runs where that fails."""
        shell = self.shell
        executor = RecoveringExecutor(shell.binaries, shell.run, shell.launcher, config)
        room = RoomWatch(shell.run.path, executor.end, in_memory=shell.in_memory)
        show = Replay(executor, control, self.fetcher, self.progress)

        def look() -> None:
            if self.fetcher is not None:
                self.fetcher.check()
            show.report()

        executor.watch = look
        try:
            with at_work(show.words):
                reading = start_server(executor)
        except BaseException as error:
            executor.stop()
            room.stop()
            if isinstance(error, DrillError):
                raise self.cause(error, room) from None
            raise
        way = untrusted.way_to(shell.run.path / cleanup.SOCKET, shell.run.path / cleanup.WAY)
        server = RecoveredServer(shell.binaries, shell.run, executor, room, way, known=shell.entry)
        return server, reading

    def cause(self, error: DrillError, room: RoomWatch) -> DrillError:
        """What made the server end with `error`: our own means, or WAL that could not be given."""
        fetcher = self.fetcher
        trouble = room.error() or (fetcher.trouble if fetcher else None)
        if isinstance(trouble, DrillError):
            return trouble
        told = self.told(error)
        if fetcher and fetcher.faults and isinstance(error, BackupFault):
            first = fetcher.faults[0].error
            checked = [*first.checked, told.what, *error.checked]
            return BackupFault(first.what, checked=checked, remedy=first.remedy)
        if fetcher and fetcher.holes and told is error:
            lacking = f"the archive lacks {some(fetcher.holes, 3)}, and has newer WAL"
            return type(error)(error.what, checked=[lacking, *error.checked], remedy=error.remedy)
        return told

    def told(self, error: DrillError) -> DrillError:
        """`error` with the target that was not reached, if it is about that."""
        if isinstance(error, Unreached):
            return explained(error, self.goal, self.shell.physical, self.fetcher, self.shell)
        return error


def spaces_in(data: Path) -> list[Path]:
    """What lies in the folder of tablespaces of `data`: links, or tablespaces in place."""
    return list((data / LINKS).iterdir()) if (data / LINKS).is_dir() else []


def recover(
    shell: Shell,
    physical: Physical,
    goal: Goal,
    archive: Archive | None,
    note: Note,
    progress: Note,
    copy: Copy = copy_backup,
) -> Recovered:
    """Recover `physical` in `shell` to `goal`, with the WAL of `archive`, None where there is none.

    UsageError where the goal cannot be reached from this backup, BackupFault where the server does
    not recover it, CouldNotRun where our means fail; the shell is to be stopped then. A server that
    has recovered to another place than `goal` comes with `faults`.
    """
    check_reachable(physical, goal)
    work = Recovery(shell, goal, archive, progress)
    copied = work.copy(copy)
    before = read_control_data(shell.binaries, shell.launcher, shell.run.data)
    with ExitStack() as stack:
        if archive is not None:
            fetcher = Fetcher(archive, shell.run, shell.launcher, physical)
            work.fetcher = stack.enter_context(fetcher)
        config = work.configure(before)
        began = time.monotonic()
        server, reading = work.start(config, before)
        seconds = time.monotonic() - began
    try:
        note(f"{shell.binaries.name} has recovered the backup in {show_duration(seconds)}")
        found = finish(
            shell, server, reading, seconds, goal=goal, before=before, archive=archive,
            had_label=copied.had_label, fetcher=work.fetcher, settings=work.settings,
            parts=work.parts,
        )  # fmt: skip
    except BaseException:
        server.watch.stop()
        server.executor.stop()
        raise
    found.told[:0], found.warnings[:0] = copied.told, copied.warnings
    return found

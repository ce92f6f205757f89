"""WAL for a recovering server: fetched by us, who may read the archive, and put where it looks.

The server runs behind walls as another account, which sees its run directory alone. What it asks
for is brought into a directory of ours, looked at, and moved into its pg_wal.

A damaged file is answered as one that is absent: the server then ends recovery and comes up with
all that precedes it, as it does at damage that only itself sees, and the rest of the drill says
what is left. `faults` keep it from being green. Where our own means fail, recovery is broken off:
nobody knows then what the archive holds.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self

from restore_drill.backups.physical.model import Physical
from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.places.waiting import begun
from restore_drill.recovery.ahead import Ahead, Stopped
from restore_drill.recovery.archives.copying import damaged
from restore_drill.recovery.archives.header import Expected, read_header, why_wrong
from restore_drill.recovery.archives.names import SEGMENT, is_served, segment_of
from restore_drill.recovery.holes import why_no_history
from restore_drill.recovery.model import Archive, Asked
from restore_drill.recovery.pipes import ABSENT, BROKEN, FOUND, Pipes
from restore_drill.servers import untrusted
from restore_drill.servers.cleanup import DATA, RunDirectory, make_run_directory
from restore_drill.servers.launcher import Launcher

LIMIT = 600.0
"""Seconds that one file may take."""
PATIENCE = 5.0
"""Seconds for the thread that answers to end."""
WAL, SEGMENT_AS, HISTORY_AS = "pg_wal", "RECOVERYXLOG", "RECOVERYHISTORY"
"""Where PostgreSQL expects what it has asked for."""


class Fault(NamedTuple):
    """A file that the archive has and could not give: its `name`, and `what` is wrong with it."""

    name: str
    error: BackupFault


class Fetcher:
    """Answers a server that recovers in `run`, from `archive`; a context manager.

    It is to be left once the server has recovered, or has been stopped. `asked` are the files that
    it asked for, in their order, and `faults` those of them that are damaged.
    """

    def __init__(
        self,
        archive: Archive,
        run: RunDirectory,
        launcher: Launcher,
        physical: Physical | None = None,
        limit: float = LIMIT,
    ) -> None:
        """Nothing is asked yet; each file may take `limit` seconds."""
        self.archive, self.run, self.launcher = archive, run, launcher
        self.expected = Expected(physical.system, 0, physical.major) if physical else Expected()
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.trouble: BaseException | None = None
        self.listed: Future[frozenset[str]] = Future()
        self.ahead = Ahead(self.bring, self.may_be_there, limit)
        self.numbers = itertools.count()
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin to answer; CouldNotRun where that cannot be set up."""
        try:
            self.pipes = self.stack.enter_context(Pipes(self.run.path, self.launcher))
            ours = make_run_directory(self.run.path.parent)
        except OSError as error:
            self.stack.close()
            raise CouldNotRun(
                f"WAL cannot be fetched into {self.run.path.parent}: {error.strerror or error}",
                remedy=remedy_for("target", "folder"),
            ) from None
        self.stack.callback(ours.remove)
        self.folder = ours.path
        self.listed = begun(lambda: frozenset(self.archive.names()))
        self.thread = threading.Thread(target=self.work, name="wal", daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer no more, and remove what was brought for the server."""
        self.ahead.stop()
        self.pipes.stop()
        self.archive.stop()
        self.thread.join(PATIENCE)
        self.stack.close()

    @property
    def command(self) -> str:
        """The server's restore_command."""
        return self.pipes.command

    def check(self) -> None:
        """Raise what kept us from fetching, if anything has."""
        if self.trouble is not None:
            raise self.trouble

    def work(self) -> None:
        """Answer what is asked, until we are stopped."""
        while names := self.pipes.next():
            for name in names:
                code = BROKEN
                try:
                    code = self.give(name) if is_served(name) else ABSENT
                except Stopped:
                    return
                except Exception as error:  # noqa: BLE001 - `check` raises it in the main thread
                    self.trouble = self.trouble or error
                finally:
                    self.pipes.answer(name, code)
                if code == FOUND and SEGMENT.fullmatch(name):
                    self.ahead.look_ahead(name)

    def give(self, name: str) -> int:
        """Put the file `name` where the server looks; the exit code of its command."""
        began = time.monotonic()
        try:
            path = None if self.was_left(name) else self.ahead.get(name)
            if path is None:
                self.refuse_gone(name)
            else:
                self.place(path, name)
        except BackupFault as error:
            self.faults.append(Fault(name, error))
            self.asked.append(Asked(name, False, error.what, time.monotonic() - began))
            return ABSENT
        except DrillError as error:
            self.asked.append(Asked(name, False, error.what, time.monotonic() - began))
            raise
        self.asked.append(Asked(name, path is not None, "", time.monotonic() - began))
        return ABSENT if path is None else FOUND

    def bring(self, name: str) -> Path | None:
        """Bring the file `name` into our own directory, and look at it; None where there is none.

        It may run in several threads.
        """
        to = self.folder / f"{name}.{next(self.numbers)}"
        try:
            if not self.archive.fetch(name, to):
                to.unlink(missing_ok=True)
                return None
            if why := self.why_wrong(to, name):
                raise damaged(name, self.archive.words, why)
        except BaseException:
            to.unlink(missing_ok=True)
            raise
        return to

    def why_wrong(self, path: Path, name: str) -> str:
        """Why the file at `path` is not what `name` must be; empty where it is."""
        if not SEGMENT.fullmatch(name):
            return why_no_history(path.read_bytes(), name)
        if why := why_wrong(path, name, self.expected):
            return why
        header = read_header(path)
        if header is not None:
            self.ahead.size = header.size
            self.expected = self.expected._replace(system=str(header.system), size=header.size)
        return ""

    def place(self, path: Path, name: str) -> None:
        """Move the file at `path` to where the server looks for it, and give it to its account."""
        if self.launcher.account is not None:
            os.chown(path, *self.launcher.account)
        path.chmod(0o600)
        to = SEGMENT_AS if SEGMENT.fullmatch(name) else HISTORY_AS
        try:
            with untrusted.opened(self.run.path) as run, untrusted.opened_in(run, DATA, WAL) as wal:
                os.rename(path, to, dst_dir_fd=wal)
        except OSError as error:
            raise CouldNotRun(
                f"the WAL file {name} cannot be given to the server: {error.strerror}",
                remedy=remedy_for("target", "folder"),
            ) from None

    def may_be_there(self, name: str) -> bool:
        """Whether the archive may have `name`: it does not while it is not listed."""
        if not self.listed.done() or self.listed.exception():
            return True
        return name in self.listed.result()

    def was_left(self, name: str) -> bool:
        """Whether `name` is at the place of a damaged segment, on a timeline that it comes from.

        The server would replay there what was left behind at a promotion.
        """
        size = self.ahead.size
        here = segment_of(name, size) if size else None
        bad = [segment_of(fault.name, size) for fault in self.faults] if here else []
        return any(
            each and here and each.number == here.number and each.timeline > here.timeline
            for each in bad
        )

    def refuse_gone(self, name: str) -> None:
        """BackupFault where `name` was in the archive when recovery began."""
        if self.listed.done() and not self.listed.exception() and name in self.listed.result():
            raise damaged(name, self.archive.words, "it has gone while the drill ran")

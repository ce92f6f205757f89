"""WAL for a recovering server: fetched by us, who may read the archive, and put where it looks.

The server runs behind walls as another account, which sees its run directory alone. What it asks
for is brought into a directory of ours, looked at, and moved into its pg_wal.

A damaged file is answered as one that is absent: the server then ends recovery and comes up with
all that precedes it, as it does at damage that only itself sees, and the rest of the drill says
what is left. `faults` keep it from being green. Where our own means fail, recovery is broken off:
nobody knows then what the archive holds.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack
from typing import NamedTuple, Self

from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.wal_names import SEGMENT, has_newer, is_served
from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.places.waiting import begun, result_of
from restore_drill.recovery.ahead import Ahead, Stopped
from restore_drill.recovery.archives.copying import damaged
from restore_drill.recovery.archives.header import Expected
from restore_drill.recovery.bringing import Bringer, place
from restore_drill.recovery.model import Archive, Asked
from restore_drill.recovery.pipes import ABSENT, BROKEN, FOUND, Pipes
from restore_drill.servers.cleanup import RunDirectory, make_run_directory
from restore_drill.servers.launcher import Launcher

LIMIT = 600.0
"""Seconds that one file may take."""
PATIENCE = 5.0
"""Seconds for the thread that answers to end."""


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
        self.physical, self.limit = physical, limit
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.trouble: BaseException | None = None
        self.listed: Future[frozenset[str]] = Future()

    def __enter__(self) -> Self:
        """Begin to answer; CouldNotRun where that cannot be set up."""
        with ExitStack() as stack:
            try:
                self.pipes = stack.enter_context(Pipes(self.run.path, self.launcher))
                ours = make_run_directory(self.run.path.parent)
            except OSError as error:
                raise CouldNotRun(
                    f"WAL cannot be fetched into {self.run.path.parent}: {error.strerror or error}",
                    remedy=remedy_for("target", "folder"),
                ) from None
            stack.callback(ours.remove)
            self.stack = stack.pop_all()
        known = self.physical
        expected = Expected(known.system, 0, known.major) if known else Expected()
        self.bringer = Bringer(self.archive, ours.path, expected)
        self.ahead = Ahead(self.bringer.bring, self.may_be_there, self.limit)
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
        self.ahead.settle()
        self.stack.close()

    @property
    def command(self) -> str:
        """The server's restore_command."""
        return self.pipes.command

    @property
    def size(self) -> int:
        """Bytes of a segment, 0 while none has come."""
        return self.bringer.expected.size

    def check(self) -> None:
        """Raise what kept us from fetching, if anything has."""
        if self.trouble is not None:
            raise self.trouble

    def work(self) -> None:
        """Answer what is asked, until we are stopped."""
        while questions := self.pipes.next():
            for who, name in questions:
                code = BROKEN
                try:
                    code = self.give(name) if is_served(name) else ABSENT
                except Stopped:
                    return
                except Exception as error:  # noqa: BLE001 - `check` raises it in the main thread
                    self.trouble = self.trouble or error
                finally:  # what an archive says while it is stopped is no answer
                    self.pipes.answer(who, BROKEN if self.ahead.is_stopped.is_set() else code)
                if code == FOUND and SEGMENT.fullmatch(name):
                    self.ahead.look_ahead(name, self.size)

    def give(self, name: str) -> int:
        """Put the file `name` where the server looks; the exit code of its command."""
        began = time.monotonic()
        try:
            if self.was_left(name):
                return ABSENT
            path = self.ahead.get(name)
            if path is None:
                self.refuse_gone(name)
            else:
                place(path, name, self.run, self.launcher)
        except BackupFault as error:
            self.faults.append(Fault(name, error))
            self.asked.append(Asked(name, False, error.what, time.monotonic() - began))
            return ABSENT
        except DrillError as error:
            self.asked.append(Asked(name, False, error.what, time.monotonic() - began))
            raise
        self.asked.append(Asked(name, path is not None, "", time.monotonic() - began))
        return ABSENT if path is None else FOUND

    def names(self) -> frozenset[str]:
        """What the archive had when recovery began; raises what kept it from being listed."""
        return result_of(self.listed)

    def may_be_there(self, name: str) -> bool:
        """Whether the archive may have `name`, as far as it is known."""
        return not self.is_listed or name in self.listed.result()

    @property
    def is_listed(self) -> bool:
        """Whether it is known what the archive had when recovery began."""
        return self.listed.done() and self.listed.exception() is None

    @property
    def holes(self) -> list[str]:
        """Segments that the archive lacks, though it has newer ones of their timeline.

        Those before the last one that was given are none: the server has found them elsewhere.
        """
        there = self.listed.result() if self.is_listed else frozenset()
        last = max((each.name[8:] for each in self.asked if each.found), default="")
        lacking = {each.name for each in self.asked if not (each.found or each.why_not)}
        return sorted(
            name
            for name in lacking
            if SEGMENT.fullmatch(name) and name[8:] > last and has_newer(there, name)
        )

    def was_left(self, name: str) -> bool:
        """Whether `name` is at the place of a damaged segment, on a timeline that it comes from.

        The server would replay there what was left behind at a promotion.
        """
        return any(
            len(name) == len(each) and each[8:] == name[8:] and each > name
            for each, _ in self.faults
        )

    def refuse_gone(self, name: str) -> None:
        """BackupFault where `name` was in the archive when recovery began."""
        if self.is_listed and name in self.listed.result():
            raise damaged(name, self.archive.words, "it has gone while the drill ran")

"""Carries out a run: asks what is to be drilled, has it drilled, and leaves one verdict."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from restore_drill.alerts.pings import Start
from restore_drill.config.alerts import pings_of
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.interrupt import ended_as_by_a_key, handled
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some
from restore_drill.fleet.due import answer
from restore_drill.fleet.jobs import job_of, with_channels
from restore_drill.fleet.known import Known, known_of
from restore_drill.fleet.model import Database, Done, Inventory, Job
from restore_drill.fleet.pool.machines import own_cores
from restore_drill.fleet.pool.run import run_jobs
from restore_drill.fleet.report.files import begin, keep_reports, kept_of, leave
from restore_drill.fleet.report.issues import Run
from restore_drill.fleet.report.lines import closing_lines, width_of
from restore_drill.fleet.report.run import Fleet
from restore_drill.fleet.report.telling import tell
from restore_drill.fleet.screen import Screen
from restore_drill.fleet.several import lines_to_write, refuse_several, several_of
from restore_drill.fleet.sizing import needs_of, seconds_of, within
from restore_drill.servers.place import SHARE, available_memory

MOST_NAMED = 6
MOST_NOT_DUE = 20
"""So many that are not due are shown one by one."""


@dataclass
class Carried:
    """A run over the `databases` of `inventory`; its reports go to the folder `top`.

    `is_due`: of those alone that are due. `environment` has the channels, and values of variables
    that criteria files name.
    """

    inventory: Inventory
    databases: Sequence[Database]
    top: Path
    environment: Mapping[str, str] = field(repr=False)
    is_due: bool = False
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        """Nothing is known of them yet."""
        heard = {each.name: with_channels(each, self.environment) for each in self.databases}
        undecided = [name for name in self.inventory.undecided if name in heard]
        self.fleet = Fleet(self.inventory.path, heard, undecided=undecided)
        self.screen = Screen(width_of(heard))
        self.known: Mapping[str, Known] = {}
        self.unwritten: OSError | None = None

    def carry_out(self) -> int:
        """Drill, and leave reports, messages and summary; the exit code."""
        try:
            begin(self.top, self.inventory.databases, self.inventory.path)
        except OSError as error:
            raise unwritable(self.top, error) from None
        urls = pings_of(self.environment)
        start = Start(urls) if urls else None
        problem: CouldNotRun | None = None
        try:
            self.known = known_of(self.databases)
            jobs = list(self.jobs())
        except KeyboardInterrupt:
            with stopped_by_signals():
                return self.end(start, problem, is_interrupted=True)
        with stopped_by_signals() as stop:
            try:
                run_jobs(
                    jobs, scheduler=self.scheduler, workers=self.workers, stop=stop,
                    tries=self.inventory.tries, at_once=self.inventory.at_once,
                    ended=self.ended, progress=self.screen.progress,
                )  # fmt: skip
            except CouldNotRun as error:
                problem = error
                for each in jobs:
                    self.fleet.leave(each.name, error.what)
            return self.end(start, problem, is_interrupted=stop.is_set())

    def end(self, start: Start | None, problem: CouldNotRun | None, *, is_interrupted: bool) -> int:
        """Nothing more is drilled: leave what there is, and say what went wrong; the exit code."""
        self.fleet.close(is_interrupted=is_interrupted)
        self.screen.clear()
        with ended_as_by_a_key():
            self.finish(start, problem)
        if problem is not None:
            sys.stderr.write(f"{problem}\n")
        return self.fleet.code

    def jobs(self) -> Iterator[Job]:
        """The drills that are to run; what is left out is noted in the fleet, with the reason."""
        left = []
        for each in self.databases:
            if each.unlisted:
                self.screen.ended(self.fleet.note_unlisted(each.name))
                continue
            known = self.known[each.name]
            due = answer(known) if self.is_due else None
            if due is not None and not due.is_due:
                drill = due.failed or known.drills[-1]
                folder = kept_of(drill, self.top, each.name)
                left.append(
                    self.fleet.leave_undue(each.name, due.why, drill, folder, is_red=due.is_red)
                )
                continue
            try:
                refuse_several(known)
                needs = needs_of(known)
                if self.scheduler is None:
                    here = int(available_memory() * SHARE)
                    needs = within(needs, each.needs, own_cores(), here)
                yield job_of(each, needs, seconds_of(known))
            except UsageError as error:
                self.screen.ended(self.fleet.leave(each.name, str(error)))
                if several_of(known):
                    self.screen.lines(("plain", line) for line in lines_to_write(known))
        for outcome in left[:MOST_NOT_DUE]:
            self.screen.ended(outcome)
        if more := len(left) - MOST_NOT_DUE:
            self.screen.line("plain", f"and {more:,} more are not due") if more > 0 else None

    def ended(self, done: Done) -> None:
        """Note how a drill ended, keep its reports, and show it.

        Reports that cannot be written change no verdict, and keep no other drill from running.
        """
        folder = None
        try:
            folder = keep_reports(self.top, done, self.inventory.path) if done.tries else None
        except OSError as error:
            self.unwritten = self.unwritten or error
        if done.tries:
            self.screen.ended(self.fleet.end(done, done.tries, folder))
        else:
            self.screen.ended(self.fleet.leave(done.name, done.why))

    def finish(self, start: Start | None, problem: CouldNotRun | None) -> None:
        """Write page, fleet.json and junit.xml, show the summary, and tell who is to hear."""
        histories = {name: each.drills for name, each in self.known.items()}
        page: Path | None = None
        try:
            page = leave(self.top, self.fleet, histories)
        except OSError as error:
            self.unwritten = self.unwritten or error
        except Exception as error:  # noqa: BLE001 - people hear of the verdicts all the same
            sys.stderr.write(f"No page was written: internal error ({type(error).__name__})\n")
        self.screen.lines(closing_lines(self.fleet, page))
        if self.fleet.is_interrupted:
            proved = [each.name for each in self.fleet.rows if each.is_green]
            words = some(proved, MOST_NAMED) if proved else "none"
            self.screen.line("warn", f"The run was interrupted; proved before that: {words}")
        if self.unwritten is not None:
            sys.stderr.write(f"{unwritable(self.top, self.unwritten)}\n")
        is_whole = len(self.databases) == len(self.inventory.databases)
        run = Run(self.fleet, self.known, problem.what if problem else "", is_whole)
        tell(run, self.environment, page, start)


def unwritable(folder: Path, error: OSError) -> CouldNotRun:
    """Reports cannot be written."""
    is_missing = isinstance(error, FileNotFoundError)
    return CouldNotRun(
        f"the reports of the fleet cannot be written: {error.strerror or error}",
        checked=[str(error.filename or folder)],
        remedy=remedy_for("fleet", "no_report_folder" if is_missing else "unwritable"),
    )


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """The event is set by Ctrl-C, SIGTERM and SIGHUP, which end nothing else inside."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        # In a thread: the signal may have come while this very one holds the event's lock.
        threading.Thread(target=stop.set, daemon=True).start()

    with handled(note):
        yield stop

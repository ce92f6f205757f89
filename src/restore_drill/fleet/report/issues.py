"""Issues of a run: one for each database in trouble, until its backup is proved again.

A run that cannot do its work has one of its own, in place of one for each database.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from restore_drill.alerts import issue
from restore_drill.alerts.announce import keep
from restore_drill.alerts.delivery import Outcome, deliver
from restore_drill.alerts.message import Message, written
from restore_drill.alerts.subject import Subject, about_of, mark_of, marks_of
from restore_drill.alerts.trackers import Issue, tracker_of
from restore_drill.config.alerts import Alerts
from restore_drill.config.where import machine_given, where_is
from restore_drill.core.units import show_count, some
from restore_drill.fleet.known import Known
from restore_drill.fleet.report.message_lines import MOST_NAMED, backup_of
from restore_drill.fleet.report.messages import event_of
from restore_drill.fleet.report.outcome import Outcome as Ended
from restore_drill.fleet.report.run import NOTHING_KNOWN, Fleet, tally
from restore_drill.results.several import NOT_BEGUN
from restore_drill.watch.origin import places_of

MOST_ISSUES = 20
"""So many databases have an issue of their own in one run; the rest share one."""
LIMIT = 60.0
"""Seconds for all issues together: a tracker takes them one after the other."""
DATABASE, START, MORE = "\0fleet ", "\0fleet start", "\0fleet more"
"""In place of a series: a database, a run that cannot do its work, those beyond MOST_ISSUES."""


class Task(NamedTuple):
    """An issue to keep, by the `name` of what it is about."""

    name: str
    message: Message
    subject: Subject


class Place(NamedTuple):
    """What issues of a fleet are told apart by: its inventory, and the folder it is called in."""

    inventory: str
    here: str

    @classmethod
    def of(cls, inventory: Path, environment: Mapping[str, str]) -> Place:
        """That of the `inventory` here; a machine of a CI system has no name."""
        machine = machine_given(environment)
        return cls(where_is(inventory, machine), where_is(Path.cwd(), machine))

    @property
    def start(self) -> Subject:
        """A run that cannot do its work: the next one from here speaks for it."""
        return Subject(f"fleet in {self.here}", (mark_of(START, self.here),))

    @property
    def more(self) -> Subject:
        """All databases that have no issue of their own."""
        return Subject(f"fleet of {self.inventory}", (mark_of(MORE, self.inventory),))

    def database(self, known: Known, series: str) -> Subject:
        """A database by its name; by its `series`, too, so that a drill of it alone closes it."""
        name, marks = known.database.name, [mark_of(DATABASE + known.database.name, self.inventory)]
        if known.settings is not None and known.has_newest and series:
            marks += marks_of(about_of(series), places_of(known.settings))
        return Subject(name, tuple(marks))


class Run(NamedTuple):
    """A run that has ended: what was `known` before it, the `problem` that kept it from its work.

    `is_whole`: over all databases of the inventory; `report` is where its page lies. Of those that
    are `quiet` people have been told the same before.
    """

    fleet: Fleet
    known: Mapping[str, Known]
    problem: str = ""
    is_whole: bool = True
    report: str = ""
    quiet: Collection[str] = ()

    def is_own(self, row: Ended) -> bool:
        """Whether `row` was not begun for what ails the whole run."""
        common = (NOT_BEGUN, NOTHING_KNOWN, *filter(None, [self.problem]))
        return row.state == "not-begun" and row.why.startswith(common)


def keep_issues(run: Run, alerts: Alerts, limit: float = LIMIT) -> tuple[list[Outcome], set[str]]:
    """Open, comment and close; what became of each, and names of databases whose issue was closed.

    One after the other, as trackers ask for, and what is not done within `limit` seconds not.
    """
    until, place = time.monotonic() + limit, Place.of(run.fleet.inventory, alerts.environment)
    there: list[Issue] = []

    def read() -> str:
        there[:] = tracker_of(alerts.issues, alerts.environment).issues()
        return "read"

    (first,) = deliver({"issues": read}, limit)
    if first.problem:
        return [first], set()
    found: list[Outcome] = []
    closed: set[str] = set()
    for each in (*reds(run, place), *greens(run, place, there)):
        name = f"issue of {each.name}"
        left = max(until - time.monotonic(), 0.0)
        task = {name: partial(keep, alerts, each.message, each.subject)}
        late = Outcome(name, problem="there was no time left for it")
        found += deliver(task, left) if left else [late]
        if found[-1].done.startswith(issue.CLOSED):
            closed.add(each.name)
    return found, closed


def reds(run: Run, place: Place) -> Iterator[Task]:
    """Issues about what is in trouble, the worst first."""
    fleet, report = run.fleet, run.report
    bad = [
        each
        for each in fleet.rows
        if event_of(each, fleet, {}) in issue.RED and each.name not in run.quiet
    ]
    own = [each for each in bad if not run.is_own(each)]
    for each in own[:MOST_ISSUES]:
        yield Task(
            each.name,
            message_of(each, event_of(each, fleet, {}), report),
            subject(each, run, place),
        )
    if more := own[MOST_ISSUES:]:
        names = some([each.name for each in more], MOST_NAMED)
        lines = [f"{len(more):,} more are in trouble, without an issue of their own: {names}"]
        message = written(event_of(more[0], fleet, {}), place.more, [*lines, tally(fleet)], report)
        yield Task("the other databases", message, place.more)
    if len(own) < len(bad):
        why = run.problem or next(each.why for each in bad if run.is_own(each))
        yield Task(
            "the fleet",
            written("could-not-run", place.start, [why, tally(fleet)], report),
            place.start,
        )


def greens(run: Run, place: Place, there: Sequence[Issue]) -> Iterator[Task]:
    """Issues that are `there`, and whose matter is in order again."""
    fleet, report = run.fleet, run.report
    for each in fleet.rows:
        about = subject(each, run, place)
        if each.is_green and issue.marked(list(there), *about.marks):
            yield Task(each.name, message_of(each, "recovered", report), about)
    over = []
    if not any(map(run.is_own, fleet.rows)):
        over.append(("the fleet", place.start, "The run has done its work again."))
    if run.is_whole and all(is_in_order(each, run) for each in fleet.rows):
        over.append(("the other databases", place.more, "All databases are in order."))
    for name, about, words in over:
        if issue.marked(list(there), *about.marks):
            yield Task(name, written("settled", about, [words, tally(fleet)], report), about)


def subject(row: Ended, run: Run, place: Place) -> Subject:
    """What an issue of the database in `row` is about."""
    known = run.known[row.name]
    last = known.drills[-1].series if known.drills else ""
    only = known.series[0] if len(known.series) == 1 else ""
    return place.database(known, row.measured.series or last or only)


def is_in_order(row: Ended, run: Run) -> bool:
    """Whether its backup is proved: now, or by the last drill where it was not due."""
    drills = run.known[row.name].drills
    return row.is_green or (row.state == "not-due" and bool(drills) and drills[-1].has_passed)


def message_of(row: Ended, event: str, report: str) -> Message:
    """What is said of one database."""
    backup, owner = backup_of(row), row.database.owner
    lines = [f"Backup: {backup}" if backup else "", f"Owner: {owner}" if owner else ""]
    if event != "recovered":
        lines = [row.why, *lines, *row.measured.remedy]
        more = row.measured.findings - 1
        lines += [f"and {show_count(more, 'more finding')}"] if more > 0 else []
    return written(event, Subject(row.name), lines, report)

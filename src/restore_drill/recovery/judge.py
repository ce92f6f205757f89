"""Whether a recovery got where it should: a fault for each thing that speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from restore_drill.backups.physical.model import Physical, show_lsn
from restore_drill.core.units import show_moment
from restore_drill.recovery.control_data import ControlData
from restore_drill.recovery.holes import Stretch
from restore_drill.recovery.model import (
    CURRENT,
    IMMEDIATE,
    LATEST,
    LSN,
    NAME,
    TIME,
    XID,
    Evidence,
    Goal,
)

Fault = tuple[str, str]
"""What speaks against it, and the cause of its remedy."""
NO_LABEL = (
    "the backup has no backup_label, and its server was not shut down: what was written while it"
    " was copied may be missing, and nothing that can be read would show it"
)
STOPPED_AT = {
    IMMEDIATE: "recovery stopping after reaching consistency",
    LSN: 'recovery stopping after WAL location (LSN) "{value}"',
    NAME: 'recovery stopping at restore point "{value}"',
    TIME: "recovery stopping before ",
    XID: "recovery stopping after ",
}
"""How the server says that it has stopped at a goal."""


@dataclass
class Known:
    """What is known of a recovery: `before` and `after` are its control data.

    `had_label` says whether the copy had a backup_label.
    """

    physical: Physical
    goal: Goal
    evidence: Evidence
    before: ControlData
    after: ControlData
    had_label: bool


@dataclass
class Verdict:
    """What speaks against a recovery, what could not be checked and why, what is unusual.

    `path` are the timelines of the archive that it was to follow, where that was asked.
    """

    faults: list[Fault] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    path: tuple[Stretch, ...] = ()


def judge(known: Known) -> Verdict:
    """Judge by the backup, the goal and the server's own words; WAL is judged by `latest`."""
    verdict = Verdict()
    verdict.faults += [*whole(known), *same_server(known), *on_timeline(known)]
    if known.goal.how != LATEST:
        verdict.faults += at_goal(known.goal, known.evidence)
    if known.evidence.last_in is None:
        why = "the server names no transaction that it replayed: its newest is one of the backup"
        verdict.told.append(("when the newest transaction ended", why))
    return verdict


def whole(known: Known) -> Iterator[Fault]:
    """Faults of a backup that was not made whole: its label, and its end in WAL."""
    evidence = known.evidence
    if not known.had_label:
        if not (known.before.is_shut_down or known.physical.is_atomic):
            yield NO_LABEL, "no_label"
        # Without standby.signal PostgreSQL does not ask for it: a copied standby may lack WAL.
        if (evidence.end_lsn or 0) < known.before.least:
            ends = f"WAL was replayed to {show_lsn(evidence.end_lsn or 0)}, and files of the copy"
            yield f"{ends} are of a later place, {show_lsn(known.before.least)}", "no_wal"
        return
    if not evidence.began:
        yield "the server did not begin at the backup's label (backup_label)", "no_label"
    if not evidence.consistent:
        yield "the server did not reach the end of the backup: it is not consistent", "no_wal"
    stop = known.physical.stop_lsn
    if stop is not None and evidence.end_lsn is not None and evidence.end_lsn < stop:
        ends = f"WAL was replayed to {show_lsn(evidence.end_lsn)}, and the backup ends at"
        yield f"{ends} {show_lsn(stop)}", "no_wal"


def same_server(known: Known) -> Iterator[Fault]:
    """Fault of files from another server than the backup says."""
    said, found = known.physical.system, known.after.system
    if said and found != said:
        what = "the files are of another server than the backup says"
        yield f"{what}: system identifier {found}, not {said}", "foreign"


def on_timeline(known: Known) -> Iterator[Fault]:
    """Fault of a recovery along another timeline than was asked for by its number."""
    asked, reached = known.goal.timeline, known.evidence.timeline
    wanted = str(known.physical.timeline) if asked == CURRENT else asked
    if wanted != LATEST and reached is not None and str(reached) != wanted:
        yield f"recovery ended on timeline {reached}, and {wanted} was asked for", "timeline"


def at_goal(goal: Goal, evidence: Evidence) -> Iterator[Fault]:
    """Faults of a recovery that did not stop at its goal, by both sides of the boundary."""
    stopped = evidence.stopped
    expected = STOPPED_AT[goal.how].format(value=goal.value)
    if not stopped.startswith(expected):
        said = f"the server says: {stopped}" if stopped else "the server names no reason to stop"
        yield f"recovery did not stop at {goal.text}: {said}", "not_reached"
        return
    if goal.how == XID and f" of transaction {goal.value}," not in stopped.replace(
        "prepared transaction", "transaction"
    ):
        yield f"recovery did not stop at {goal.text}: the server says: {stopped}", "not_reached"
    if goal.how == TIME and goal.when is not None:
        last, first = evidence.last_in, evidence.first_out
        if last is not None and last.at is not None and last.at > goal.when:
            ended = f"a transaction that ended at {show_moment(last.at)} is in it"
            yield f"recovery went beyond {goal.text}: {ended}", "too_early"
        if first is None or first.at is None or first.at <= goal.when:
            yield f"recovery stopped before {goal.text}: {stopped}", "not_reached"

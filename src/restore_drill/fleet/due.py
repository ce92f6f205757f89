"""`--due`: which databases are to be drilled now, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from restore_drill.backups.mark import names_below
from restore_drill.backups.origins import modified_at, origins
from restore_drill.core.printable import printable
from restore_drill.core.units import show_duration, some
from restore_drill.fleet.held import held_to, last_held
from restore_drill.fleet.known import Known
from restore_drill.fleet.several import why_several
from restore_drill.selection.candidate import Candidate
from restore_drill.watch.history import Drill
from restore_drill.watch.judgement import WEEKLY_LIMIT, in_words, seconds_since
from restore_drill.watch.ledger import JUDGED, Ledger, is_stamped
from restore_drill.watch.terms import terms_of

SLACK, MOST_SLACK = 0.02, 600.0
"""Part of the time between two drills, and seconds at most, by which one may come too early.

A job of each night begins some seconds sooner or later, and must not miss every second drill.
"""
MOST_NAMED = 3


class Answer(NamedTuple):
    """Whether a database `is_due`, and why; `why` is shown to people.

    `failed`: the drill in which its newest backup has failed, where that waits for its time.
    """

    is_due: bool
    why: str
    failed: Drill | None = None

    @property
    def is_red(self) -> bool:
        """Whether its newest backup has failed, and waits for its time."""
        return self.failed is not None


def answer(known: Known, now: datetime | None = None) -> Answer:
    """Whether a drill is due of the database that so much is `known` of.

    It is where its last pass is older than the inventory (`every`), else its criteria file
    (`[schedule]`) wants it, or a week and a day; where no drill has proved its newest backup by the
    criteria that it has now; where that is gone, or older than its limit; where nobody knows; and
    where its drill does not begin, which says why. A newest backup that has failed is drilled again
    when its time comes.
    """
    now = now or datetime.now(UTC)
    if known.why_unnoted:
        return Answer(is_due=True, why=f"nothing is known of its drills: {known.why_unnoted}")
    if not known.drills:
        return Answer(is_due=True, why="it has never been drilled")
    if known.why:
        return Answer(is_due=True, why=f"its backups are not known: {known.why}")
    if why := why_several(known):
        return Answer(is_due=True, why=why)
    terms = terms_of(known.settings) if known.settings else ""
    last = last_held(known.drills, terms)
    if last is None:
        return Answer(is_due=True, why="its criteria or limits have changed since its last drill")
    ledger = Ledger(held_to([*known.history.drills, *known.history.picks], terms))
    why = by_last(known, last) or by_gone(known)
    if known.has_newest:
        why = why or by_backup(known, last, ledger) or by_age(known, last, ledger, now)
    return Answer(is_due=True, why=why) if why else by_schedule(known, last, ledger, now)


def every_of(known: Known) -> float:
    """Seconds after which a pass is too old."""
    asked = known.settings.criteria.schedule_every if known.settings else None
    return known.database.every or asked or WEEKLY_LIMIT


def by_last(known: Known, last: Drill) -> str:
    """Why its `last` drill asks for another, whatever its backups are; empty where it does not."""
    if last.verdict not in JUDGED:
        return f"its last drill {in_words(last.verdict)}"
    if any(line > last.line for line in known.history.lost):
        return "its history is damaged after its last drill: a failed drill may be lost"
    later = (each for each in known.drills if each.line > last.line)
    if last.has_passed and any(each.verdict == "failed" for each in later):
        return "a drill with other criteria or limits has failed since it passed"
    return ""


def by_gone(known: Known) -> str:
    """That nothing is left of a series, and no drill has said so; or empty."""
    lost = [each for each in known.gone if failure_of(known, each) is None]
    return f"nothing is left of {some(lost, MOST_NAMED)}" if lost else ""


def by_backup(known: Known, last: Drill, ledger: Ledger) -> str:
    """Why the newest backups ask for a drill; empty where they do not."""
    if not known.newest:
        return "" if last.verdict == "failed" else "there is no backup any more"
    judged = {each: ledger.verdict_on(each) for each in known.newest}
    new = [each for each, drill in judged.items() if not (drill and is_unchanged(each, drill))]
    names = some([each.label for each in new or known.newest], MOST_NAMED)
    if new and last.has_passed:
        return f"no drill has proved its newest backup: {names}"
    if new:
        return f"its last drill failed, and there is a newer backup: {names}"
    of_gone = last.series in [printable(each) for each in known.gone]
    if last.has_passed or of_gone or any(map(ledger.is_failing, known.newest)):
        return ""
    if last.backup is None:
        return f"its last drill found no backup, and there is one now: {names}"
    return f"its last drill failed, and that was of another backup than its newest: {names}"


def is_unchanged(backup: Candidate, drill: Drill) -> bool:
    """Whether `backup` is the one that was there at the `drill`, which was of its name.

    Of a drill from before there were stamps the times decide.
    """
    is_same = is_stamped(backup, drill)
    return changed_at(backup) <= drill.at if is_same is None else is_same


def changed_at(backup: Candidate) -> datetime:
    """When `backup` was last written: also one whose name has a time is overwritten."""
    try:
        if backup.path in origins or backup.path.is_file():
            return modified_at(backup.path)
        names = [] if backup.is_physical else names_below(backup.path)
        times = [modified_at(backup.path / name) for name in names]
        return max(times, default=backup.taken_at)
    except OSError:
        return backup.taken_at


def by_age(known: Known, last: Drill, ledger: Ledger, now: datetime) -> str:
    """That a backup is older than its limit, and its last drill did not know that; or empty.

    It has passed that since, or the limit was a longer one. One that passed all the same (waived)
    is not asked for again. Not of a physical one: WAL that came since makes it younger, and is
    known to its drill alone.
    """
    if known.settings is None or not last.has_passed:
        return ""
    limit = known.settings.max_backup_age
    old = []
    for each in known.newest:
        until, proof = each.taken_at + timedelta(seconds=limit), ledger.proof_of(each)
        is_new = proof and (proof.at <= until or proof.budgets.get("age", limit) > limit)
        old += [each.label] if is_new and until < now and not each.is_physical else []
    what = f"its newest backup is older than {show_duration(limit)}"
    return f"{what}: {some(old, MOST_NAMED)}" if old else ""


def by_schedule(known: Known, last: Drill, ledger: Ledger, now: datetime) -> Answer:
    """Whether the time for a drill has come; after a failure it counts from that."""
    failed = last if last.verdict == "failed" else failed_of(known, ledger)
    every = every_of(known)
    limit = every - min(every * SLACK, MOST_SLACK)
    age = seconds_since(failed or last, now)
    wanted = f"due again after {show_duration(every)}"
    ago = f"{show_duration(round(age))} ago"
    if failed is not None:
        why = f"its last drill failed {ago}, and {no_newer(known)}; {wanted}"
    else:
        why = f"passed {ago}; {wanted}"
    return Answer(age >= limit, why, failed)


def failed_of(known: Known, ledger: Ledger) -> Drill | None:
    """The drill that failed for a newest backup, or found none, though another has passed since."""
    newest = known.newest if known.has_newest else ()
    failed = [failure_of(known, each) for each in known.gone]
    failed += [ledger.verdict_on(each) for each in newest if ledger.is_failing(each)]
    return next(filter(None, failed), None)


def failure_of(known: Known, series: str) -> Drill | None:
    """The last drill of `series`, where it has failed; one of any series counts as its own.

    A drill that found no backup may not know which series that was to be of.
    """
    name = printable(series)
    own = [
        each
        for each in known.drills
        if each.verdict in JUDGED and (each.series == name or not (each.series or each.backup))
    ]
    return own[-1] if own and own[-1].verdict == "failed" else None


def no_newer(known: Known) -> str:
    """That there is no backup since."""
    if known.gone:
        return f"nothing is left of {some(known.gone, MOST_NAMED)}"
    return "there is no newer backup" if known.newest else "there is no backup any more"

"""`--due`: which databases are to be drilled now, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from restore_drill.backups.origins import modified_at, origins
from restore_drill.core.units import show_duration, some
from restore_drill.fleet.known import Known
from restore_drill.selection.candidate import Candidate
from restore_drill.watch.history import Drill
from restore_drill.watch.judgement import WEEKLY_LIMIT, in_words, seconds_since
from restore_drill.watch.kept import Ledger

SLACK, MOST_SLACK = 0.02, 600.0
"""Part of the time between two drills, and seconds at most, by which one may come too early.

A job of each night begins some seconds sooner or later, and must not miss every second drill.
"""
MOST_NAMED = 3


class Answer(NamedTuple):
    """Whether a database `is_due`, and why; `why` is shown to people.

    `is_red`: its newest backup has failed, whether it is drilled again or not.
    """

    is_due: bool
    why: str
    is_red: bool = False


def answer(known: Known, now: datetime | None = None) -> Answer:
    """Whether a drill is due of the database that so much is `known` of.

    It is where its last pass is older than the inventory (`every`), else its criteria file
    (`[schedule]`) wants it, or a week and a day; where no drill has proved its newest backup; where
    that is gone, or older than its limit; and where nobody knows. A newest backup that has failed
    is drilled again when its time comes.
    """
    now = now or datetime.now(UTC)
    if known.why_unnoted:
        return Answer(is_due=True, why=f"nothing is known of its drills: {known.why_unnoted}")
    if not known.drills:
        return Answer(is_due=True, why="it has never been drilled")
    if known.why:
        return Answer(is_due=True, why=f"its backups are not known: {known.why}")
    last, every = known.drills[-1], every_of(known)
    if known.has_newest and (why := by_backup(known, last) or by_age(known, last, now)):
        return Answer(is_due=True, why=why)
    return by_schedule(known, last, every, now)


def every_of(known: Known) -> float:
    """Seconds after which a pass is too old."""
    asked = known.settings.criteria.schedule_every if known.settings else None
    return known.database.every or asked or WEEKLY_LIMIT


def by_backup(known: Known, last: Drill) -> str:
    """Why the newest backups ask for a drill; empty where they do not."""
    if not known.newest and last.verdict != "failed":
        return "there is no backup any more"
    ledger = Ledger([*known.history.drills, *known.history.picks])
    new = [
        each
        for each in known.newest
        if changed_at(each) > last.at or not (ledger.proved(each) or ledger.is_failing(each))
    ]
    if not new:
        return ""
    names = some([each.label for each in new], MOST_NAMED)
    if last.verdict == "failed":
        return f"its last drill failed, and there is a newer backup: {names}"
    if not last.has_passed:
        return f"its last drill {in_words(last.verdict)}"
    return f"no drill has proved its newest backup: {names}"


def changed_at(backup: Candidate) -> datetime:
    """When the file of `backup` was last written: also one whose name has a time is overwritten."""
    try:
        is_file = backup.path in origins or backup.path.is_file()
        return modified_at(backup.path) if is_file else backup.taken_at
    except OSError:
        return backup.taken_at


def by_age(known: Known, last: Drill, now: datetime) -> str:
    """That a backup has become older than its limit since its `last` drill, which passed; or empty.

    Not of a physical one: WAL that came since makes it younger, and is known to its drill alone.
    """
    if known.settings is None or not last.has_passed:
        return ""
    limit = timedelta(seconds=known.settings.max_backup_age)
    old = [
        each.label
        for each in known.newest
        if not each.is_physical and last.at <= each.taken_at + limit < now
    ]
    what = f"its newest backup has become older than {show_duration(limit.total_seconds())}"
    return f"{what}: {some(old, MOST_NAMED)}" if old else ""


def by_schedule(known: Known, last: Drill, every: float, now: datetime) -> Answer:
    """Whether the time for a drill has come; after a failure it counts from that."""
    passed = next((each for each in reversed(known.drills) if each.has_passed), None)
    limit = every - min(every * SLACK, MOST_SLACK)
    since = last if last.verdict == "failed" else passed
    wanted = f"due again after {show_duration(every)}"
    if since is None:
        return Answer(is_due=True, why=f"its last drill {in_words(last.verdict)}")
    age = seconds_since(since, now)
    ago = f"{show_duration(round(age))} ago"
    if since is not passed:
        why = f"its last drill failed {ago}, and {no_newer(known.newest)}; {wanted}"
    else:
        why = f"passed {ago}; {wanted}"
    return Answer(is_due=age >= limit, why=why, is_red=since is not passed)


def no_newer(newest: Sequence[Candidate]) -> str:
    """That there is no backup since."""
    return "there is no newer backup" if newest else "there is no backup any more"
